"""MobileNetV1 (Howard et al., 2017), the visual wake words network of MLPerf Tiny."""

from tinycerb.keras_models.layers import conv_block, depthwise_block, scaled
from tinycerb.keras_models.legacy import keras

# (output channels at width 1, stride) of the depthwise-separable blocks.
_BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
)


def mobilenet_v1(image_shape: tuple[int, int, int], width: float = 0.25) -> keras.Model:
    """Builds the backbone.

    At 96x96x3, width 0.25 and two classes it has 221,794 parameters and 7,489,664 multiply-accumulates.

    Args:
        image_shape: height, width and channels; height and width at least 32 for all strides to matter.
        width: multiplies every channel count.

    Returns:
        Float images [N, height, width, channels] in 0..1 to features [N, 1024 * width].
    """
    image = keras.layers.Input(image_shape, name="image")
    x = conv_block(image, scaled(32, width), kernel=3, stride=2, name="stem", bias=True)
    for index, (channels, stride) in enumerate(_BLOCKS, start=1):
        x = depthwise_block(x, kernel=3, stride=stride, name=f"block{index}_depthwise", bias=True)
        x = conv_block(x, scaled(channels, width), kernel=1, stride=1, name=f"block{index}_pointwise", bias=True)
    features = keras.layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(image, features, name="mobilenet_v1")
