"""The only door to TF-MOT.

While it loads, it asks for `keras.engine`, which Keras 3 no longer has: that takes a second or more to load, for
nothing. Keras 3 is hidden for that moment, and comes as always to whoever imports it afterwards.
"""

import sys

# Sets what makes TensorFlow hand out Keras 2, before anything loads it.
from tinycerb.keras_models.legacy import keras  # noqa: F401

_HIDES = "keras" not in sys.modules
if _HIDES:
    sys.modules["keras"] = None  # type: ignore[assignment]  # What the import system documents as "not there".
try:
    import tensorflow_model_optimization as tfmot
finally:
    if _HIDES:
        del sys.modules["keras"]

__all__ = ["tfmot"]
