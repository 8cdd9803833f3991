"""Takes masked channels physically out of a model; its outputs stay exactly the same."""

from collections.abc import Sequence

import numpy as np

from keras_models.legacy import keras, named_layer
from tinycerb.compression.groups import ChannelGroup


def remove_channels(model: keras.Model, groups: Sequence[ChannelGroup], kept: Sequence[np.ndarray]) -> keras.Model:
    """Rebuilds a model without its masked channels.

    Args:
        model: a functional model whose masked channels are zero everywhere.
        groups: its channel groups.
        kept: per group, bool [channels]: which ones stay.

    Returns:
        A smaller model with the same layer names.
    """
    outputs: dict[str, np.ndarray] = {}
    inputs: dict[str, np.ndarray] = {}
    for group, keep in zip(groups, kept, strict=True):
        outputs.update(dict.fromkeys((*group.producers, *group.followers), keep))
        inputs.update(dict.fromkeys(group.consumers, keep))

    def slimmer(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        if layer.name in outputs and "filters" in config:
            config["filters"] = int(outputs[layer.name].sum())
        return type(layer).from_config(config)

    slim = keras.models.clone_model(model, clone_function=slimmer)
    for layer in model.layers:
        weights = [
            _slice(layer, weight, inputs.get(layer.name), outputs.get(layer.name)) for weight in layer.get_weights()
        ]
        named_layer(slim, layer.name).set_weights(weights)
    return slim


def _slice(layer, weight: np.ndarray, reads: np.ndarray | None, writes: np.ndarray | None) -> np.ndarray:
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        # Kernel [height, width, channels, 1], bias [channels].
        return weight if writes is None else weight.compress(writes, axis=2 if weight.ndim == 4 else 0)
    if reads is not None and weight.ndim > 1:
        # Kernel [height, width, in, out] or [in, out].
        weight = weight.compress(reads, axis=weight.ndim - 2)
    return weight if writes is None else weight.compress(writes, axis=weight.ndim - 1)
