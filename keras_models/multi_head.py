"""Several classification heads on one shared backbone."""

from keras_models.legacy import keras, require_legacy_model


def head_name(index: int) -> str:
    """Returns the name of a head's layer."""
    return f"head_{index}"


def attach_heads(backbone: keras.Model, classes: int, heads: int) -> keras.Model:
    """Puts independently initialised linear heads on a backbone.

    Heads that start equal would stay equal: their similarity is then at its maximum, where it has no gradient.

    Args:
        backbone: images to features [N, F].
        classes: number of classes, at least 2.
        heads: number of heads, 1 to `classes`; more cannot all disagree on one image.

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
    logits = [keras.layers.Dense(classes, name=head_name(index))(features) for index in range(heads)]
    return keras.Model(backbone.input, logits, name=f"{backbone.name}_{heads}_heads")
