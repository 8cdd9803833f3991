"""MobileNetV2 (Sandler et al., CVPR 2018), scaled by width: inverted residuals with linear bottlenecks."""

from tinycerb.keras_models.layers import conv_block, depthwise_block, scaled
from tinycerb.keras_models.legacy import keras

# (expansion, output channels at width 1, repeats, stride of the first repeat)
_BLOCKS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def mobilenet_v2(image_shape: tuple[int, int, int], width: float = 0.35) -> keras.Model:
    """Builds the backbone.

    Args:
        image_shape: height, width and channels; height and width at least 32 for all strides to matter.
        width: multiplies every channel count; the last layer's 1280 are scaled, too.

    Returns:
        Float images [N, height, width, channels] in 0..1 to features [N, 1280 * width].
    """
    image = keras.layers.Input(image_shape, name="image")
    x = conv_block(image, scaled(32, width), kernel=3, stride=2, name="stem")
    number = 0
    for expansion, channels, repeats, first_stride in _BLOCKS:
        for repeat in range(repeats):
            number += 1
            stride = first_stride if repeat == 0 else 1
            x = _inverted_residual(x, expansion, scaled(channels, width), stride, f"block{number}")
    x = conv_block(x, scaled(1280, width), kernel=1, stride=1, name="last")
    features = keras.layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(image, features, name="mobilenet_v2")


def _inverted_residual(x, expansion: int, channels: int, stride: int, name: str):
    given = x
    if expansion != 1:
        x = conv_block(x, expansion * int(x.shape[-1]), kernel=1, stride=1, name=f"{name}_expand")
    x = depthwise_block(x, kernel=3, stride=stride, name=f"{name}_depthwise")
    x = keras.layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project")(x)
    x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_project_norm")(x)
    if stride == 1 and int(given.shape[-1]) == channels:
        return keras.layers.Add(name=f"{name}_add")([given, x])
    return x
