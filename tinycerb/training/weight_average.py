"""The exponential moving average of a model's weights (Polyak and Juditsky, 1992), which is often the better model."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import tensorflow as tf

from tinycerb.keras_models.legacy import keras


class WeightAverage:
    """An average over the steps of one stage, of all variables: moving statistics and ranges of quantizers, too."""

    def __init__(self, model: keras.Model, decay: float) -> None:
        """Begins with the weights as they are.

        Args:
            model: the model that is trained.
            decay: share of the average that a step leaves, 0 to below 1; the first steps leave less, so that the
                beginning is forgotten.
        """
        self._model = model
        self._decay = decay
        self._steps = tf.Variable(tf.zeros([]), trainable=False)
        self._averages = [tf.Variable(variable, trainable=False) for variable in model.variables]

    def update(self) -> None:
        """Moves towards the weights of now; runs inside the step's graph, after the optimizer."""
        self._steps.assign_add(1.0)
        share = 1.0 - tf.minimum(self._decay, (1.0 + self._steps) / (10.0 + self._steps))
        for average, variable in zip(self._averages, self._model.variables, strict=True):
            if variable.dtype.is_floating:
                average.assign_sub(tf.cast(share, variable.dtype) * (average - variable))
            else:
                average.assign(variable)

    @contextmanager
    def in_the_model(self) -> Iterator[None]:
        """The model has the averages for weights, within the block."""
        weights = [variable.numpy() for variable in self._model.variables]
        self.hand_over()
        try:
            yield
        finally:
            _assign(self._model.variables, weights)

    def hand_over(self) -> None:
        """Gives the model the averages for good."""
        _assign(self._model.variables, [average.numpy() for average in self._averages])

    def state(self) -> list[np.ndarray]:
        """Returns all that a resumed training needs."""
        return [self._steps.numpy(), *(average.numpy() for average in self._averages)]

    def restore(self, state: Sequence[np.ndarray]) -> None:
        """Takes up what `state` has returned."""
        _assign([self._steps, *self._averages], state)


def _assign(variables: Sequence[tf.Variable], values: Sequence[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
