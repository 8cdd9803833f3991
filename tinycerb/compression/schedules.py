"""When channels go: TF-MOT's pruning schedules, imported where one is made so that their names can be read without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinycerb.registry import Registry

_UPDATE_EVERY_STEPS = 16


def update_every(begin_step: int, end_step: int) -> int:
    """Returns the steps between two updates: few enough that short trainings have some."""
    return min(_UPDATE_EVERY_STEPS, max(1, (end_step - begin_step) // 4))


# (final ratio, first step, last step) -> a TF-MOT PruningSchedule: step -> (is an update due?, ratio)
Schedule = Callable[[float, int, int], Any]
SCHEDULES: Registry[Schedule] = Registry("pruning schedule")


@SCHEDULES.register("polynomial")
def polynomial(final_ratio: float, begin_step: int, end_step: int) -> object:
    """Channels go quickly at first and slower towards the end (Zhu and Gupta, 2017)."""
    from tinycerb.keras_models.model_optimization import tfmot

    return tfmot.sparsity.keras.PolynomialDecay(
        initial_sparsity=0.0,
        final_sparsity=final_ratio,
        begin_step=begin_step,
        end_step=max(end_step, begin_step + 1),
        frequency=update_every(begin_step, end_step),
    )


@SCHEDULES.register("constant")
def constant(final_ratio: float, begin_step: int, end_step: int) -> Any:
    """All channels go at once, at the first step."""
    from tinycerb.keras_models.model_optimization import tfmot

    return tfmot.sparsity.keras.ConstantSparsity(
        final_ratio,
        begin_step=begin_step,
        end_step=max(end_step, begin_step + 1),
        frequency=update_every(begin_step, end_step),
    )
