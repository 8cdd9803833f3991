"""The weights that decide over a channel: a layer's kernel, and the batch normalisation that directly follows it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tinycerb.keras_models.legacy import keras, named_layer


@dataclass(frozen=True)
class Producer:
    """A layer that makes channels.

    Attributes:
        name: its name.
        kernel: [..., channels].
        bias: [channels], or None.
        scale: scale of the batch normalisation behind it, [channels], or None.
        shift: its shift, likewise.
    """

    name: str
    kernel: tf.Variable
    bias: tf.Variable | None
    scale: tf.Variable | None
    shift: tf.Variable | None

    @property
    def gate(self) -> list[tf.Variable]:
        """The variables that are zero when the channel is off.

        With a batch normalisation these are scale and shift: a filter in front of one may be scaled at will without
        changing the output, so that its gradient along itself is zero and says nothing.
        """
        behind = [variable for variable in (self.scale, self.shift) if variable is not None]
        own = [variable for variable in (self.kernel, self.bias) if variable is not None]
        return behind or own


def find_producer(model: keras.Model, name: str) -> Producer:
    """Finds a convolution's or dense layer's weights and the batch normalisation that directly follows.

    Raises:
        ValueError: there is no such layer.
    """
    layer = named_layer(model, name)
    followers: list[Any] = [node.layer for node in layer.outbound_nodes]
    norm = next((found for found in followers if isinstance(found, keras.layers.BatchNormalization)), None)
    return Producer(
        name=name,
        kernel=layer.kernel,
        bias=layer.bias,
        scale=norm.gamma if norm is not None else None,
        shift=norm.beta if norm is not None else None,
    )


def channel_sums(values: tf.Tensor) -> tf.Tensor:
    """Sums over everything but the last axis."""
    return tf.reduce_sum(values, axis=list(range(values.shape.rank - 1)))


def norm_scales(model: keras.Model, names: Iterable[str]) -> list[tf.Variable]:
    """Returns the batch-norm scales behind the named layers, where they have any."""
    scales = (find_producer(model, name).scale for name in names)
    return [scale for scale in scales if scale is not None]
