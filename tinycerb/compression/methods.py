"""Ways of pruning: whole channels, which shrink the model on a device, and TF-MOT's own modes beside it.

TensorFlow is imported where a method is set up: the names are wanted without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tinycerb.registry import Registry

if TYPE_CHECKING:
    from tinycerb.compression.pruner import Pruner
    from tinycerb.config import PruningConfig
    from tinycerb.keras_models.legacy import keras


class PruningMethod(Protocol):
    """One model on its way from dense to pruned.

    Attributes:
        model: what is trained while the schedule runs.
        pruner: moves with the training steps.
        keeps_zeros: whether quantization-aware training must keep single weights at zero.
    """

    model: keras.Model
    pruner: Pruner
    keeps_zeros: bool

    def recovering(self) -> tuple[keras.Model, Pruner]:
        """Returns the model that is trained once the schedule is over, and what prunes (or holds) it."""
        ...

    def finished(self, recovered: keras.Model) -> keras.Model:
        """Returns a plain model."""
        ...

    def facts(self) -> dict[str, object]:
        """Returns what was taken away, as plain JSON values."""
        ...


class MethodBuilder(Protocol):
    """Sets a method up for one model."""

    def __call__(
        self, model: keras.Model, ratio: float, begin_step: int, end_step: int, config: PruningConfig
    ) -> PruningMethod:
        """Sets up pruning of `ratio` of `model` between two training steps, counted from 1.

        Raises:
            UsageError: the model cannot be pruned in this way.
        """
        ...


PRUNING_METHODS: Registry[MethodBuilder] = Registry("pruning method")


@PRUNING_METHODS.register("channels")
def channels(model: keras.Model, ratio: float, begin_step: int, end_step: int, config: PruningConfig) -> PruningMethod:
    """Whole channels go, and are cut out: a smaller and faster model."""
    from tinycerb.compression.channels import ChannelPruning

    return ChannelPruning(model, ratio, begin_step, end_step, config)


@PRUNING_METHODS.register("unstructured")
def unstructured(
    model: keras.Model, ratio: float, begin_step: int, end_step: int, config: PruningConfig
) -> PruningMethod:
    """TF-MOT's own: single weights become zero. The int8 file and its arena keep their size."""
    from tinycerb.compression.single_weights import SingleWeightPruning

    return SingleWeightPruning(model, ratio, begin_step, end_step, config, two_of_four=False)


@PRUNING_METHODS.register("two_of_four")
def two_of_four(
    model: keras.Model, ratio: float, begin_step: int, end_step: int, config: PruningConfig
) -> PruningMethod:
    """TF-MOT's own 2:4 pattern: two of four neighbouring weights become zero, whatever the ratio."""
    from tinycerb.compression.single_weights import SingleWeightPruning

    return SingleWeightPruning(model, ratio, begin_step, end_step, config, two_of_four=True)
