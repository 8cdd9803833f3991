"""Optimizers of victims. The learning rate comes with each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tinycerb.options import check_options, option, parse_part
from tinycerb.registry import Registry

if TYPE_CHECKING:
    import tensorflow as tf

    from tinycerb.keras_models.legacy import keras


class OptimizerChoice(Protocol):
    """An optimizer with its options; implementations are frozen dataclasses."""

    def build(self, variables: Sequence[tf.Variable]) -> keras.optimizers.Optimizer:
        """Returns a fresh one for these variables."""
        ...


OPTIMIZERS: Registry[type[OptimizerChoice]] = Registry("optimizer")


def parse_optimizer(text: str) -> OptimizerChoice:
    """Reads `adamw,weight_decay=0.02`.

    Raises:
        UsageError: an unknown name or option, or a value out of range.
    """
    name, values = parse_part(text, OPTIMIZERS)
    return OPTIMIZERS[name](**values)


@OPTIMIZERS.register("adam")
@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba, ICLR 2015), without weight decay."""

    def build(self, variables: Sequence[tf.Variable]) -> keras.optimizers.Optimizer:
        """Returns a fresh one for these variables."""
        from tinycerb.keras_models.legacy import keras

        optimizer = keras.optimizers.Adam()
        optimizer.build(variables)
        return optimizer


@OPTIMIZERS.register("adamw")
@dataclass(frozen=True)
class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019), which spares biases and norms' scales."""

    weight_decay: float = option(0.02, "share that weights lose in a step, times the learning rate", 0, 1)

    def __post_init__(self) -> None:
        check_options(self)

    def build(self, variables: Sequence[tf.Variable]) -> keras.optimizers.Optimizer:
        """Returns a fresh one for these variables."""
        from tinycerb.keras_models.legacy import keras

        return _built(keras.optimizers.AdamW(weight_decay=self.weight_decay), variables)


@OPTIMIZERS.register("sgd")
@dataclass(frozen=True)
class Sgd:
    """Stochastic gradient descent with Nesterov's momentum and weight decay, which spares biases and norms' scales."""

    momentum: float = option(0.9, "share of the last step that the next one keeps", 0, below=1)
    weight_decay: float = option(5e-4, "share that weights lose in a step, times the learning rate", 0, 1)

    def __post_init__(self) -> None:
        check_options(self)

    def build(self, variables: Sequence[tf.Variable]) -> keras.optimizers.Optimizer:
        """Returns a fresh one for these variables."""
        from tinycerb.keras_models.legacy import keras

        nesterov = self.momentum > 0
        return _built(
            keras.optimizers.SGD(momentum=self.momentum, nesterov=nesterov, weight_decay=self.weight_decay), variables
        )


def _built(optimizer: keras.optimizers.Optimizer, variables: Sequence[tf.Variable]) -> keras.optimizers.Optimizer:
    optimizer.exclude_from_weight_decay(var_list=[each for each in variables if len(each.shape) < 2])
    optimizer.build(variables)
    return optimizer
