"""DS-CNN (Zhang et al., Hello Edge, 2017), the keyword spotting network of MLPerf Tiny."""

from tinycerb.keras_models.layers import conv_block, depthwise_block, scaled
from tinycerb.keras_models.legacy import keras


def ds_cnn(image_shape: tuple[int, int, int], width: float = 1.0) -> keras.Model:
    """Builds the backbone: one 10x4 convolution and four depthwise-separable blocks.

    At 49x10x1 with twelve classes it has 24,908 parameters and 2,656,768 multiply-accumulates.

    Args:
        image_shape: frames, coefficients and channels of a spectrogram, or any image.
        width: multiplies every channel count.

    Returns:
        Float images [N, height, width, channels] in 0..1 to features [N, 64 * width].
    """
    channels = scaled(64, width)
    image = keras.layers.Input(image_shape, name="image")
    x = conv_block(image, channels, kernel=(10, 4), stride=2, name="stem", bias=True)
    for index in range(1, 5):
        x = depthwise_block(x, kernel=3, stride=1, name=f"block{index}_depthwise", bias=True)
        x = conv_block(x, channels, kernel=1, stride=1, name=f"block{index}_pointwise", bias=True)
    features = keras.layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(image, features, name="ds_cnn")
