"""The only door to Keras: `tf_keras`, which is Keras 2.

TF-MOT refuses the Keras 3 that TensorFlow installs beside it, so nothing in this project imports `keras`.
"""

import os
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import tf_keras as keras
from tf_keras.protobuf.saved_metadata_pb2 import SavedMetadata

__all__ = ["Keras3ModelError", "SavedMetadata", "keras", "named_layer", "require_legacy_model"]


class Keras3ModelError(TypeError):
    """A model of Keras 3 where one of Keras 2 is needed."""


def require_legacy_model(model: object) -> "keras.Model":
    """Returns `model` if it is a Keras 2 model.

    Raises:
        Keras3ModelError: for a Keras 3 model, with what to do about it.
        TypeError: for anything else.
    """
    if isinstance(model, keras.Model):
        return model
    if type(model).__module__.split(".")[0] == "keras":
        raise Keras3ModelError(
            f"this is a Keras 3 model ({type(model).__name__}); pruning and quantization-aware training take "
            "Keras 2 models. Build it with `import tf_keras as keras` instead of `import keras`, and carry its "
            "weights over with new_model.set_weights(old_model.get_weights())"
        )
    raise TypeError(f"expected a tf_keras model, got {type(model).__module__}.{type(model).__name__}")


def named_layer(model: "keras.Model", name: str) -> Any:
    """Returns a layer by its name; its class decides which attributes it has.

    Raises:
        ValueError: there is no such layer.
    """
    return model.get_layer(name)
