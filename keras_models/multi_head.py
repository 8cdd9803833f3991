"""Several classification heads on one shared backbone, or each on its own."""

from collections.abc import Sequence
from typing import Any

from tinycerb.keras_models.legacy import keras, require_legacy_model


def head_name(index: int) -> str:
    """Returns the name of a head's layer."""
    return f"head_{index}"


def hidden_name(index: int) -> str:
    """Returns the name of the hidden layer in a head, where heads have one."""
    return f"{head_name(index)}_hidden"


def attach_heads(
    backbone: keras.Model, classes: int, heads: int, hidden_units: int = 0, random_heads: int = 0
) -> keras.Model:
    """Puts independently initialised heads on a backbone.

    Heads that start equal would stay equal: their similarity is then at its maximum, where it has no gradient.

    Args:
        backbone: images to features [N, F].
        classes: number of classes, at least 2.
        heads: number of heads, 1 to `classes`; more cannot all disagree on one image.
        hidden_units: units of a hidden layer with ReLU in each head, 0 for linear heads.
        random_heads: further heads behind them, for scores that no loss reads: weights and biases are drawn alike.

    Returns:
        Images to a list of logits, one float [N, classes] per head.

    Raises:
        ValueError: a count out of range.
    """
    _check(classes, heads)
    features = require_legacy_model(backbone).output
    logits = [_head(features, index, classes, hidden_units) for index in range(heads)]
    for index in range(heads, heads + random_heads):
        logits.append(_head(features, index, classes, hidden_units, drawn=True))
    return keras.Model(backbone.input, logits, name=f"{backbone.name}_{len(logits)}_heads")


def attach_own_backbones(
    backbones: Sequence[keras.Model], classes: int, heads: int, hidden_units: int = 0
) -> keras.Model:
    """Puts each head on a backbone of its own; all read the same image.

    Args:
        backbones: images to features [N, F], one per head; they need not be alike. Layers of all but the first get
            names of their own.
        classes: number of classes, at least 2.
        heads: how many of them tell the classes apart, 1 to `classes`; the rest says something else.
        hidden_units: as for `attach_heads`.

    Returns:
        As `attach_heads`.

    Raises:
        ValueError: a count out of range.
    """
    _check(classes, heads)
    image = require_legacy_model(backbones[0]).input
    logits = []
    for index, backbone in enumerate(backbones):
        features = backbone.output if index == 0 else _renamed(backbone, image, f"network{index}_")
        logits.append(_head(features, index, classes, hidden_units))
    return keras.Model(image, logits, name=f"{backbones[0].name}_{len(backbones)}_networks")


def _check(classes: int, heads: int) -> None:
    if classes < 2:
        raise ValueError(f"classes is {classes}; allowed: 2 or more")
    if not 1 <= heads <= classes:
        raise ValueError(f"heads is {heads}; allowed: 1 to {classes}, the number of classes")


def _head(x: Any, index: int, classes: int, hidden_units: int, drawn: bool = False) -> Any:
    if hidden_units:
        x = keras.layers.Dense(hidden_units, activation="relu", name=hidden_name(index))(x)
    deviation = int(x.shape[-1]) ** -0.5
    kinds = ("kernel_initializer", "bias_initializer") if drawn else ()
    # An object each: one that is asked twice says the same again.
    weights: Any = {kind: keras.initializers.RandomNormal(stddev=deviation) for kind in kinds}
    return keras.layers.Dense(classes, name=head_name(index), **weights)(x)


def _renamed(backbone: keras.Model, image: Any, prefix: str) -> Any:
    """Returns the features of a copy of a backbone over another image tensor, with its weights."""

    def rename(layer: keras.layers.Layer) -> keras.layers.Layer:
        return type(layer).from_config({**layer.get_config(), "name": prefix + layer.name})

    copy = keras.models.clone_model(backbone, input_tensors=image, clone_function=rename)
    copy.set_weights(backbone.get_weights())
    return copy.output
