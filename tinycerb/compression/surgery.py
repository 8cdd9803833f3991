"""Takes masked channels physically out of a model; its outputs stay the same."""

from collections.abc import Sequence

import numpy as np

from tinycerb.compression.channel_plan import CARRIERS, ChannelPlan, is_maker
from tinycerb.keras_models.legacy import keras, named_layer


def remove_channels(model: keras.Model, plan: ChannelPlan, kept: Sequence[np.ndarray]) -> keras.Model:
    """Rebuilds a model without its masked channels.

    Args:
        model: a functional model whose masked channels are zero everywhere.
        plan: its channel plan.
        kept: per group of the plan, bool [channels]: which ones stay.

    Returns:
        A smaller model with the same layer names.
    """

    def slimmer(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        if is_maker(layer):
            size = "units" if isinstance(layer, keras.layers.Dense) else "filters"
            config[size] = int(plan.mask(plan.outputs[layer.name], kept).sum())
        return type(layer).from_config(config)

    slim = keras.models.clone_model(model, clone_function=slimmer)
    for layer in model.layers:
        if layer.weights:
            named_layer(slim, layer.name).set_weights(_slices(layer, plan, kept))
    return slim


def _slices(layer, plan: ChannelPlan, kept: Sequence[np.ndarray]) -> list[np.ndarray]:
    writes = plan.mask(plan.outputs[layer.name], kept)
    if isinstance(layer, CARRIERS):
        # Depthwise kernels are [height, width, channels, 1], all other weights vectors of channels.
        return [weight.compress(writes, axis=2 if weight.ndim == 4 else 0) for weight in layer.get_weights()]
    reads = plan.mask(plan.inputs[layer.name], kept)
    # Kernels are [height, width, in, out] or [in, out], biases [out].
    return [
        (weight.compress(reads, axis=weight.ndim - 2) if weight.ndim > 1 else weight).compress(writes, axis=-1)
        for weight in layer.get_weights()
    ]
