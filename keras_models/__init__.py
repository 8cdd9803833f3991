"""Backbones and the multi-head model. Keras only: nothing of TinyCerb is imported here."""

from collections.abc import Callable

from keras_models.demo_net import demo_net
from keras_models.legacy import Keras3ModelError, keras, named_layer, require_legacy_model
from keras_models.multi_head import attach_heads, head_name

__all__ = [
    "BACKBONES",
    "Keras3ModelError",
    "attach_heads",
    "head_name",
    "keras",
    "named_layer",
    "require_legacy_model",
]

# (image shape, width) -> model from images to features
BACKBONES: dict[str, Callable[[tuple[int, int, int], float], keras.Model]] = {"demo_net": demo_net}
