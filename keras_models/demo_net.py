"""The demo's network: a stem, depthwise-separable blocks, one residual add, one wide convolution."""

from tinycerb.keras_models.layers import conv_block, depthwise_block, scaled
from tinycerb.keras_models.legacy import keras


def demo_net(image_shape: tuple[int, int, int], width: float = 1.0) -> keras.Model:
    """Builds the backbone.

    At 28x28x1 and width 1 it has about 50,000 parameters and 1.2 million multiply-accumulates.

    Args:
        image_shape: height, width and channels; height and width at least 16.
        width: multiplies every channel count.

    Returns:
        Float images [N, height, width, channels] in 0..1 to features [N, 96 * width].
    """
    narrow, middle, wide, last = (scaled(channels, width) for channels in (16, 32, 64, 96))
    image = keras.layers.Input(image_shape, name="image")
    x = conv_block(image, narrow, kernel=3, stride=2, name="stem")
    x = _separable(x, middle, stride=1, name="block1")
    x = keras.layers.Add(name="residual")([x, _separable(x, middle, stride=1, name="block2")])
    x = _separable(x, wide, stride=2, name="block3")
    x = conv_block(x, wide, kernel=3, stride=2, name="block4")
    x = _separable(x, last, stride=1, name="block5")
    features = keras.layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(image, features, name="demo_net")


def _separable(x, channels: int, stride: int, name: str):
    x = depthwise_block(x, kernel=3, stride=stride, name=f"{name}_depthwise")
    return conv_block(x, channels, kernel=1, stride=1, name=f"{name}_pointwise")
