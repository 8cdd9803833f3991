"""Blocks that TF-MOT folds into one int8 operator each: convolution, batch normalisation, ReLU."""

from tinycerb.keras_models.legacy import keras


def scaled(channels: int, width: float) -> int:
    """Returns a channel count times `width`, as a multiple of 4 and at least 4."""
    return max(4, round(channels * width / 4) * 4)


def conv_block(x, channels: int, kernel: int | tuple[int, int], stride: int, name: str, bias: bool = False):
    """Convolution, batch normalisation, ReLU."""
    x = keras.layers.Conv2D(channels, kernel, stride, padding="same", use_bias=bias, name=name)(x)
    return _normalise(x, name)


def depthwise_block(x, kernel: int, stride: int, name: str, bias: bool = False):
    """Depthwise convolution, batch normalisation, ReLU."""
    x = keras.layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=bias, name=name)(x)
    return _normalise(x, name)


def _normalise(x, name: str):
    # Keras' own momentum of 0.99 wants thousands of steps before the moving statistics can be trusted.
    x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)
