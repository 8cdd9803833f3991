"""Networks that an attacker trains as a clone. Unlike families: one alone flatters a defence.

Keras is imported where networks are built: their names are wanted without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tinycerb.registry import Registry

if TYPE_CHECKING:
    from tinycerb.keras_models.legacy import keras

# (image shape, classes) -> float images in 0..1 to logits
Student = Callable[[tuple[int, int, int], int], "keras.Model"]
STUDENTS: Registry[Student] = Registry("student")


@STUDENTS.register("lenet")
def lenet(image_shape: tuple[int, int, int], classes: int) -> keras.Model:
    """Two strided 5x5 convolutions, flattened, dense; no batch normalisation. 114,314 parameters at 28x28x1."""
    from tinycerb.keras_models.legacy import keras

    image = keras.layers.Input(image_shape)
    x = keras.layers.Conv2D(16, 5, 2, padding="same", activation="relu")(image)
    x = keras.layers.Conv2D(32, 5, 2, padding="same", activation="relu")(x)
    x = keras.layers.Dense(64, activation="relu")(keras.layers.Flatten()(x))
    return keras.Model(image, keras.layers.Dense(classes)(x))


@STUDENTS.register("plain_cnn")
def plain_cnn(image_shape: tuple[int, int, int], classes: int) -> keras.Model:
    """Three 3x3 convolutions, flattened, dense; no batch normalisation. 124,010 parameters at 28x28x1."""
    from tinycerb.keras_models.legacy import keras

    image = x = keras.layers.Input(image_shape)
    for channels, pooled in ((16, True), (32, True), (64, False)):
        x = keras.layers.Conv2D(channels, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D()(x) if pooled else x
    x = keras.layers.Dense(32, activation="relu")(keras.layers.Flatten()(x))
    return keras.Model(image, keras.layers.Dense(classes)(x))


@STUDENTS.register("batchnorm_cnn")
def batchnorm_cnn(image_shape: tuple[int, int, int], classes: int) -> keras.Model:
    """Three convolutions with batch normalisation, averaged, dense. 53,698 parameters at 28x28x1."""
    return _batchnorm_cnn(image_shape, classes, (24, 48, 96))


@STUDENTS.register("large_batchnorm_cnn")
def large_batchnorm_cnn(image_shape: tuple[int, int, int], classes: int) -> keras.Model:
    """As `batchnorm_cnn` with 32, 64 and 128 channels: the largest with batch normalisation. 94,634 at 28x28x1."""
    return _batchnorm_cnn(image_shape, classes, (32, 64, 128))


@STUDENTS.register("demo_net")
def demo_net(image_shape: tuple[int, int, int], classes: int) -> keras.Model:
    """The demo's own network: an attacker who has guessed the victim's architecture. 50,794 parameters at 28x28x1."""
    # As a module, for digests of code follow what is imported.
    from tinycerb.keras_models.demo_net import demo_net as demo_backbone
    from tinycerb.keras_models.legacy import keras

    backbone = demo_backbone(image_shape, 1.0)
    return keras.Model(backbone.input, keras.layers.Dense(classes)(backbone.output))


def _batchnorm_cnn(image_shape: tuple[int, int, int], classes: int, widths: tuple[int, ...]) -> keras.Model:
    from tinycerb.keras_models.legacy import keras

    image = x = keras.layers.Input(image_shape)
    for channels in widths:
        x = keras.layers.Conv2D(channels, 3, 2, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(classes)(x))
