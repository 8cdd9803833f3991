"""TF-MOT's own pruning modes, for comparison: weights become zero, and nothing gets smaller on a microcontroller."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tinycerb.compression.pruner import Pruner
from tinycerb.compression.schedules import SCHEDULES
from tinycerb.config import PruningConfig
from tinycerb.errors import UsageError
from tinycerb.keras_models.legacy import keras
from tinycerb.keras_models.model_optimization import tfmot


class SingleWeightPruning:
    """See `PruningMethod`."""

    keeps_zeros = True

    def __init__(
        self,
        model: keras.Model,
        ratio: float,
        begin_step: int,
        end_step: int,
        config: PruningConfig,
        two_of_four: bool,
    ) -> None:
        """Wraps the model's layers with TF-MOT's pruning.

        Raises:
            UsageError: a layer that TF-MOT does not prune, or an unknown schedule.
        """
        pattern: dict[str, Any] = {"sparsity_m_by_n": (2, 4)} if two_of_four else {}
        schedule = SCHEDULES[config.schedule](ratio, begin_step, end_step)
        try:
            wrapped: Any = tfmot.sparsity.keras.prune_low_magnitude(model, pruning_schedule=schedule, **pattern)
        except ValueError as error:
            raise UsageError(f"TF-MOT's pruning does not take this model: {error}; use pruning = 'channels'") from error
        self.model: keras.Model = wrapped
        self._wrappers: list[Any] = [layer for layer in wrapped.layers if hasattr(layer, "pruning_vars")]
        for wrapper in self._wrappers:
            # It counts on by itself with every training step. The 2:4 pattern is chosen once, at its first step.
            wrapper.pruning_step.assign(0 if two_of_four else begin_step - 1)
        self.pruner: Pruner = _WeightMasks(self._wrappers)

    def recovering(self) -> tuple[keras.Model, Pruner]:
        """Returns the wrapped model: without its masks, the zeros would grow back."""
        return self.model, self.pruner

    def finished(self, recovered: keras.Model) -> keras.Model:
        """Returns the model without the wrappers."""
        return tfmot.sparsity.keras.strip_pruning(recovered)

    def facts(self) -> dict[str, object]:
        """Returns the share of zeros among the weights that TF-MOT prunes."""
        return {"channel_groups": [], "zero_weight_share": 1 - self.pruner.kept_share()}


class _WeightMasks:
    """TF-MOT's masks, seen by the training loop; their state is part of the wrapped model's weights."""

    def __init__(self, wrappers: Sequence[Any]) -> None:
        self._wrappers = wrappers

    def observe(self, variables: Sequence[tf.Variable], gradients: Sequence[tf.Tensor]) -> None:
        """Magnitudes alone decide."""

    def hold(self) -> None:
        """Puts masked weights back to zero."""
        for wrapper in self._wrappers:
            wrapper.pruning_obj.weight_mask_op()

    def update(self, step: int) -> None:
        """The wrappers follow the schedule by themselves."""

    def kept_share(self) -> float:
        """Returns the share of the weights that are not masked."""
        masks = [mask.numpy() for wrapper in self._wrappers for _, mask, _ in wrapper.pruning_vars]
        return float(np.concatenate([mask.ravel() for mask in masks]).mean()) if masks else 1.0

    def state(self) -> list[np.ndarray]:
        """There is nothing beside the model's weights."""
        return []

    def restore(self, state: Sequence[np.ndarray]) -> None:
        """There is nothing to take up."""
