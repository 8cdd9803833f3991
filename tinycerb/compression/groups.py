"""Which channels must go together: groups of coupled layers in a functional Keras model.

An addition couples its inputs, a depthwise layer follows its producer, and the image and the heads' outputs
are protected. The groups are found by union-find over the graph, layer by layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from keras_models.legacy import Keras3ModelError, keras, require_legacy_model
from tinycerb.errors import UsageError

_PASSES_CHANNELS_ON = (
    keras.layers.BatchNormalization,
    keras.layers.ReLU,
    keras.layers.Activation,
    keras.layers.DepthwiseConv2D,
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.Dropout,
)
_CARRIERS = (keras.layers.BatchNormalization, keras.layers.DepthwiseConv2D)


@dataclass(frozen=True)
class ChannelGroup:
    """Layers that lose the same channels.

    Attributes:
        channels: how many channels the group has.
        producers: convolutions whose filters are the channels.
        followers: depthwise and batch-normalisation layers that carry the channels along.
        consumers: convolutions and dense layers that read the channels.
    """

    channels: int
    producers: tuple[str, ...]
    followers: tuple[str, ...]
    consumers: tuple[str, ...]


class _UnionFind:
    """Sets of layers whose outputs have the same channels."""

    def __init__(self) -> None:
        self._parents: list[int] = []

    def new(self) -> int:
        self._parents.append(len(self._parents))
        return self._parents[-1]

    def find(self, node: int) -> int:
        while self._parents[node] != node:
            node = self._parents[node]
        return node

    def join(self, first: int, second: int) -> None:
        self._parents[self.find(second)] = self.find(first)


def find_groups(model: keras.Model) -> tuple[ChannelGroup, ...]:
    """Finds the groups of channels that may be removed from a functional model.

    Returns:
        The prunable groups, in the order of their first producer. Channels of the image and of dense layers
        (hidden ones and heads) belong to no group.

    Raises:
        UsageError: a Keras 3 model, or a layer whose channels cannot be followed; the message names it.
    """
    try:
        require_legacy_model(model)
    except Keras3ModelError as error:
        raise UsageError(str(error)) from error
    sets = _UnionFind()
    produced: dict[str, int] = {}
    for layer in model.layers:
        produced[layer.name] = _output_set(layer, produced, sets)
    roots = {name: sets.find(node) for name, node in produced.items()}
    protected = {
        roots[layer.name] for layer in model.layers if isinstance(layer, keras.layers.InputLayer | keras.layers.Dense)
    }
    return tuple(
        _describe(model.layers, roots, root) for root in dict.fromkeys(roots.values()) if root not in protected
    )


def _output_set(layer, produced: dict[str, int], sets: _UnionFind) -> int:
    """Returns the set of a layer's output channels, joining its inputs' sets where it adds them."""
    if isinstance(layer, keras.layers.InputLayer):
        return sets.new()
    inputs = [produced[name] for name in _input_names(layer)]
    if isinstance(layer, keras.layers.DepthwiseConv2D) and layer.depth_multiplier != 1:
        raise UsageError(f"layer {layer.name!r} has depth_multiplier {layer.depth_multiplier}; allowed: 1")
    if isinstance(layer, _PASSES_CHANNELS_ON):
        return inputs[0]
    if isinstance(layer, keras.layers.Add):
        for other in inputs[1:]:
            sets.join(inputs[0], other)
        return inputs[0]
    if _is_convolution(layer) or isinstance(layer, keras.layers.Dense):
        return sets.new()
    raise UsageError(
        f"layer {layer.name!r} is a {type(layer).__name__}, whose channels pruning cannot follow; "
        "set channel_ratio = 0 or replace the layer"
    )


def _input_names(layer) -> list[str]:
    if len(layer.inbound_nodes) != 1:
        raise UsageError(f"layer {layer.name!r} is used {len(layer.inbound_nodes)} times; pruning takes one use")
    return [node.layer.name for node in layer.inbound_nodes[0].parent_nodes]


def _describe(layers: Sequence, roots: dict[str, int], root: int) -> ChannelGroup:
    members = [layer for layer in layers if roots[layer.name] == root]
    producers = [layer for layer in members if _is_convolution(layer)]
    readers = [layer for layer in layers if _is_convolution(layer) or isinstance(layer, keras.layers.Dense)]
    return ChannelGroup(
        channels=producers[0].filters,
        producers=tuple(layer.name for layer in producers),
        followers=tuple(layer.name for layer in members if isinstance(layer, _CARRIERS)),
        consumers=tuple(layer.name for layer in readers if roots[_input_names(layer)[0]] == root),
    )


def _is_convolution(layer) -> bool:
    return isinstance(layer, keras.layers.Conv2D) and not isinstance(layer, keras.layers.DepthwiseConv2D)
