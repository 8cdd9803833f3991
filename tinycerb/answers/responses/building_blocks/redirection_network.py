"""The network that GRAD^2 asks beside the victim: in which direction each class would move a thief's student.

Mazeika, Li and Forsyth, ICML 2022, arXiv 2206.14157. For a surrogate S with parameters theta and a fixed target
direction t it computes c = G t, the change of log S along t, for every image: a central difference of two copies of the
surrogate, which are plain networks and convert to one float .tflite file. The oracle runs that without TensorFlow.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tinycerb.keras_models.legacy import keras
from tinycerb.registry import Registry

# How far the copies stand from the surrogate, as a share of the length of its parameters.
_STEP = 1e-3

# (surrogate, images float [N, ...], labels [N], generator) -> one array per trainable variable
TARGETS: Registry[Callable[[keras.Model, np.ndarray, np.ndarray, np.random.Generator], list[np.ndarray]]] = Registry(
    "target of GRAD^2"
)


@TARGETS.register("all_ones")
def _all_ones(surrogate: keras.Model, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> list:
    """The published one: every answer pushes all parameters up."""
    return [np.ones(variable.shape, np.float32) for variable in surrogate.trainable_variables]


@TARGETS.register("random")
def _random(surrogate: keras.Model, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> list:
    """A secret random direction."""
    return [rng.standard_normal(variable.shape).astype(np.float32) for variable in surrogate.trainable_variables]


@TARGETS.register("watermark")
def _watermark(surrogate: keras.Model, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> list:
    """Towards answering the watermark's images with its labels: a clone gives itself away by them."""
    with tf.GradientTape() as tape:
        logits = surrogate(images, training=False)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
    gradients: list[Any] = tape.gradient(loss, surrogate.trainable_variables)
    return [-gradient.numpy() for gradient in gradients]


def redirection_network(surrogate: keras.Model, direction: list[np.ndarray]) -> keras.Model:
    """Returns the network from float images [N, ...] in 0..1 to c [N, classes], up to a positive factor.

    Args:
        surrogate: images to logits.
        direction: t, one array per trainable variable of the surrogate.
    """
    values = [variable.numpy() for variable in surrogate.trainable_variables]
    length = np.sqrt(sum(float(np.square(value).sum()) for value in values))
    step = _STEP * length / np.sqrt(sum(float(np.square(part).sum()) for part in direction))
    image = keras.layers.Input(surrogate.input_shape[1:])
    sides = []
    for name, sign in (("ahead", 1), ("behind", -1)):
        copy: Any = keras.models.clone_model(surrogate)
        copy.set_weights(surrogate.get_weights())
        for variable, value, part in zip(copy.trainable_variables, values, direction, strict=True):
            variable.assign(value + sign * step * part)
        sides.append(tf.nn.log_softmax(keras.Sequential([copy], name=name)(image)))
    return keras.Model(image, (sides[0] - sides[1]) / (2 * step))


def to_float_tflite(network: keras.Model) -> bytes:
    """Returns the network as a float32 `.tflite` file for one image."""
    function = tf.function(lambda image: network(image, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec([1, *network.input_shape[1:]], tf.float32, name="image"))
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()
