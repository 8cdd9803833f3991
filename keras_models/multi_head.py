"""Several classification heads on one shared backbone."""

from keras_models.legacy import keras, require_legacy_model


def head_name(index: int) -> str:
    """Returns the name of a head's layer."""
    return f"head_{index}"


def hidden_name(index: int) -> str:
    """Returns the name of the hidden layer in a head, where heads have one."""
    return f"{head_name(index)}_hidden"


def attach_heads(backbone: keras.Model, classes: int, heads: int, hidden_units: int = 0) -> keras.Model:
    """Puts independently initialised heads on a backbone.

    Heads that start equal would stay equal: their similarity is then at its maximum, where it has no gradient.

    Args:
        backbone: images to features [N, F].
        classes: number of classes, at least 2.
        heads: number of heads, 1 to `classes`; more cannot all disagree on one image.
        hidden_units: units of a hidden layer with ReLU in each head, 0 for linear heads.

    Returns:
        Images to a list of logits, one float [N, classes] per head.

    Raises:
        ValueError: a count out of range.
    """
    if classes < 2:
        raise ValueError(f"classes is {classes}; allowed: 2 or more")
    if not 1 <= heads <= classes:
        raise ValueError(f"heads is {heads}; allowed: 1 to {classes}, the number of classes")
    features = require_legacy_model(backbone).output
    logits = []
    for index in range(heads):
        x = features
        if hidden_units:
            x = keras.layers.Dense(hidden_units, activation="relu", name=hidden_name(index))(x)
        logits.append(keras.layers.Dense(classes, name=head_name(index))(x))
    return keras.Model(backbone.input, logits, name=f"{backbone.name}_{heads}_heads")
