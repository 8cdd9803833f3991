"""Which channels must go together, and where each of them passes through a functional Keras model.

Every layer's output has a layout: a row of segments, each a whole set of channels, repeated once per position after
a Flatten. Additions join sets, depthwise layers follow their producer, concatenations line segments up. The image
and the model's outputs are protected.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tinycerb.errors import UsageError
from tinycerb.keras_models.legacy import Keras3ModelError, keras, require_legacy_model

_L = keras.layers
_PASSES_CHANNELS_ON = (
    _L.BatchNormalization,
    _L.ReLU,
    _L.Activation,
    _L.DepthwiseConv2D,
    _L.ZeroPadding2D,
    _L.MaxPooling2D,
    _L.AveragePooling2D,
    _L.GlobalAveragePooling2D,
    _L.GlobalMaxPooling2D,
    _L.Dropout,
)
# Layers that carry weights for channels which another layer has made.
CARRIERS = (_L.BatchNormalization, _L.DepthwiseConv2D)


@dataclass(frozen=True)
class Layout:
    """The channels of a tensor.

    Attributes:
        segments: channel sets in order, as indices into the plan's sets.
        positions: how often the row of segments stands in the last axis: height x width after a Flatten, else 1.
    """

    segments: tuple[int, ...]
    positions: int = 1


@dataclass(frozen=True)
class ChannelGroup:
    """A set of channels that may be removed, with the layers that lose them together.

    Attributes:
        channels: how many channels the set has.
        producers: convolutions and dense layers whose filters or units are the channels.
        followers: depthwise and batch-normalisation layers that carry the channels along.
        consumers: convolutions and dense layers that read the channels.
    """

    channels: int
    producers: tuple[str, ...]
    followers: tuple[str, ...]
    consumers: tuple[str, ...]


@dataclass(frozen=True)
class ChannelPlan:
    """All channel sets of a model.

    Attributes:
        groups: the prunable sets, in the order of their first producer.
        sizes: channels of every set, protected ones included.
        group_of_set: for a prunable set, its index in `groups`.
        outputs: per layer, the layout of its output.
        inputs: per layer with weights, the layout of its first input.
    """

    groups: tuple[ChannelGroup, ...]
    sizes: dict[int, int]
    group_of_set: dict[int, int]
    outputs: dict[str, Layout]
    inputs: dict[str, Layout]

    def mask(self, layout: Layout, kept: Sequence[np.ndarray]) -> np.ndarray:
        """Returns which entries of a tensor's last axis stay.

        Args:
            layout: the tensor's layout.
            kept: per group, bool [channels].

        Returns:
            bool [sum of the segments' channels x positions].
        """
        parts = [
            kept[self.group_of_set[segment]] if segment in self.group_of_set else np.ones(self.sizes[segment], bool)
            for segment in layout.segments
        ]
        return np.tile(np.concatenate(parts), layout.positions)


class _Sets:
    """Union-find over channel sets."""

    def __init__(self) -> None:
        self._parents: list[int] = []
        self.sizes: list[int] = []

    def new(self, channels: int) -> int:
        self._parents.append(len(self._parents))
        self.sizes.append(channels)
        return self._parents[-1]

    def find(self, node: int) -> int:
        while self._parents[node] != node:
            node = self._parents[node]
        return node

    def join(self, first: int, second: int) -> None:
        self._parents[self.find(second)] = self.find(first)


def plan_channels(model: keras.Model) -> ChannelPlan:
    """Finds the channel sets of a functional model.

    Raises:
        UsageError: a Keras 3 model, or a layer whose channels cannot be followed; the message names it.
    """
    try:
        require_legacy_model(model)
    except Keras3ModelError as error:
        raise UsageError(str(error)) from error
    sets = _Sets()
    protected: set[int] = set()
    outputs: dict[str, Layout] = {}
    inputs: dict[str, Layout] = {}
    for layer in model.layers:
        given = [outputs[name] for name in _input_names(layer)]
        if given:
            inputs[layer.name] = given[0]
        outputs[layer.name] = _layout_of_output(layer, given, sets, protected)
        if not _keeps_zero(layer):
            protected |= set(outputs[layer.name].segments)
    tensors: Any = model.outputs
    for tensor in tensors:
        protected |= set(outputs[tensor.node.layer.name].segments)

    def rooted(layout: Layout) -> Layout:
        return Layout(tuple(sets.find(segment) for segment in layout.segments), layout.positions)

    outputs = {name: rooted(layout) for name, layout in outputs.items()}
    inputs = {name: rooted(layout) for name, layout in inputs.items()}
    barred = {sets.find(node) for node in protected}
    roots = dict.fromkeys(segment for layout in outputs.values() for segment in layout.segments)
    prunable = [root for root in roots if root not in barred]
    return ChannelPlan(
        groups=tuple(_describe(model.layers, outputs, inputs, root, sets.sizes[root]) for root in prunable),
        sizes={root: sets.sizes[root] for root in roots},
        group_of_set={root: index for index, root in enumerate(prunable)},
        outputs=outputs,
        inputs=inputs,
    )


def _layout_of_output(layer: Any, given: list[Layout], sets: _Sets, protected: set[int]) -> Layout:
    if isinstance(layer, _L.InputLayer):
        image = sets.new(_shape(layer.output)[-1])
        protected.add(image)
        return Layout((image,))
    if isinstance(layer, _L.DepthwiseConv2D) and layer.depth_multiplier != 1:
        raise UsageError(f"layer {layer.name!r} has depth_multiplier {layer.depth_multiplier}; allowed: 1")
    if isinstance(layer, _PASSES_CHANNELS_ON):
        return given[0]
    if isinstance(layer, _L.Add):
        return _joined(given, sets, protected)
    if isinstance(layer, _L.Concatenate):
        return _lined_up(layer, given)
    if isinstance(layer, _L.Flatten):
        return Layout(given[0].segments, given[0].positions * int(np.prod(_shape(layer.input)[1:-1])))
    if is_convolution(layer):
        if layer.groups != 1:
            raise UsageError(f"layer {layer.name!r} has {layer.groups} groups; allowed: 1, or a DepthwiseConv2D")
        return Layout((sets.new(_shape(layer.output)[-1]),))
    if isinstance(layer, _L.Dense):
        return Layout((sets.new(_shape(layer.output)[-1]),))
    raise UsageError(
        f"layer {layer.name!r} is a {type(layer).__name__}, whose channels pruning cannot follow; "
        "set channel_ratio = 0 or replace the layer"
    )


def _shape(tensor: Any) -> tuple[int, ...]:
    return tuple(tensor.shape)


def _keeps_zero(layer) -> bool:
    """Whether a channel of zeros stays one: a sigmoid would make a constant of it, which later layers miss."""
    activation = getattr(layer, "activation", None)
    return activation is None or not np.any(activation(tf.zeros([1, 2])))


def _joined(given: list[Layout], sets: _Sets, protected: set[int]) -> Layout:
    """An addition: channel by channel the same fate. Where segments do not line up, none of them may go."""
    first, *others = given
    for other in others:
        same = [sets.sizes[s] for s in first.segments] == [sets.sizes[s] for s in other.segments]
        if not same or first.positions != other.positions:
            protected.update(first.segments, other.segments)
            continue
        for one, another in zip(first.segments, other.segments, strict=True):
            sets.join(one, another)
    return first


def _lined_up(layer: Any, given: list[Layout]) -> Layout:
    rank = len(_shape(layer.output))
    if layer.axis not in (-1, rank - 1) or any(layout.positions != 1 for layout in given):
        raise UsageError(
            f"layer {layer.name!r} concatenates along axis {layer.axis} or behind a Flatten; allowed: channels only"
        )
    return Layout(tuple(segment for layout in given for segment in layout.segments))


def _input_names(layer) -> list[str]:
    if len(layer.inbound_nodes) != 1:
        raise UsageError(f"layer {layer.name!r} is used {len(layer.inbound_nodes)} times; pruning takes one use")
    return [node.layer.name for node in layer.inbound_nodes[0].parent_nodes]


def _describe(
    layers: Sequence, outputs: dict[str, Layout], inputs: dict[str, Layout], root: int, channels: int
) -> ChannelGroup:
    makers = [layer for layer in layers if is_maker(layer)]
    return ChannelGroup(
        channels=channels,
        producers=tuple(layer.name for layer in makers if root in outputs[layer.name].segments),
        followers=tuple(
            layer.name for layer in layers if isinstance(layer, CARRIERS) and root in outputs[layer.name].segments
        ),
        consumers=tuple(layer.name for layer in makers if root in inputs[layer.name].segments),
    )


def is_convolution(layer) -> bool:
    """Whether a layer is a plain convolution: neither depthwise nor transposed, whose kernel is laid out otherwise."""
    return isinstance(layer, _L.Conv2D) and not isinstance(layer, _L.DepthwiseConv2D | _L.Conv2DTranspose)


def is_maker(layer) -> bool:
    """Whether a layer makes channels of its own."""
    return is_convolution(layer) or isinstance(layer, _L.Dense)
