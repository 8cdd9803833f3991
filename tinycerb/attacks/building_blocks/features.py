"""What stands before a student's last layer."""

import numpy as np
import tensorflow as tf

from tinycerb.keras_models.legacy import keras
from tinycerb.training.objective import scale_images

_AT_ONCE = 500


def features_of(student: keras.Model) -> keras.Model:
    """Returns the part of a student from its images to the input of its last layer, with the same weights."""
    return keras.Model(student.input, student.layers[-1].input)


def feature_vectors(student: keras.Model, images: np.ndarray) -> np.ndarray:
    """Returns the features of uint8 images [N, height, width, channels], float32 [N, D]."""
    features = features_of(student)
    starts = range(0, len(images), _AT_ONCE)
    return np.concatenate(
        [
            features(scale_images(tf.constant(images[start : start + _AT_ONCE])), training=False).numpy()
            for start in starts
        ]
    )
