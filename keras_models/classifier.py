"""Takes the classifier off a model: what is left is a backbone for several heads."""

from collections.abc import Iterable

import tensorflow as tf

from tinycerb.keras_models.legacy import keras

_SOFTMAX = "one softmax over the classes: Dense(classes, activation='softmax') as the last layer"


def split_at_classifier(model: keras.Model) -> tuple[keras.Model, int]:
    """Splits a classifier at its last dense layer.

    Args:
        model: a functional model with one input and one output [N, classes]: a dense layer with a softmax, inside it
            or as a layer of its own, or a dense layer with plain logits.

    Returns:
        The part from the input to the dense layer's input, with its weights, and the number of classes.

    Raises:
        ValueError: the model ends in something else; the message names the layer and says what to do.
    """
    inputs, outputs = _tensors(model.inputs), _tensors(model.outputs)
    if len(inputs) != 1 or len(outputs) != 1:
        raise ValueError(f"the model has {len(inputs)} inputs and {len(outputs)} outputs; allowed: one and one")
    tensor = outputs[0]
    layer = tensor.node.layer
    separate = isinstance(layer, keras.layers.Softmax) or (
        isinstance(layer, keras.layers.Activation) and _name(layer.activation) == "softmax"
    )
    if separate:
        tensor = tensor.node.keras_inputs[0]
        layer = tensor.node.layer
    if not isinstance(layer, keras.layers.Dense):
        raise ValueError(
            f"the model ends in the layer {layer.name!r}, a {type(layer).__name__}; expected {_SOFTMAX}{_hint(layer)}"
        )
    activation = _name(layer.activation)
    if activation not in (("linear",) if separate else ("linear", "softmax")):
        raise ValueError(f"the classifier {layer.name!r} has the activation {activation!r}; expected {_SOFTMAX}")
    if layer.units < 2:
        raise ValueError(f"the classifier {layer.name!r} has {layer.units} output; expected {_SOFTMAX}, 2 or more")
    features = tensor.node.keras_inputs[0]
    if len(features.shape) != 2:
        raise ValueError(
            f"the classifier {layer.name!r} reads a tensor of shape {tuple(features.shape)}; put "
            "GlobalAveragePooling2D or Flatten before it"
        )
    if not features.node.parent_nodes:
        raise ValueError(f"the model is nothing but its classifier {layer.name!r}; there is no backbone to share")
    return keras.Model(inputs[0], features, name="user"), int(layer.units)


def _tensors(given: Iterable[tf.Tensor] | None) -> list[tf.Tensor]:
    return list(given or [])


def _name(activation: object) -> str:
    return getattr(activation, "__name__", str(activation))


def _hint(layer: object) -> str:
    if isinstance(layer, keras.layers.Conv2D):
        return "; a 1x1 convolution over pooled features is a Dense over Flatten, with the same weights"
    return ""
