"""A small VGG: three pairs of 3x3 convolutions, each followed by max pooling."""

from tinycerb.keras_models.layers import conv_block, scaled
from tinycerb.keras_models.legacy import keras


def vgg_small(image_shape: tuple[int, int, int], width: float = 1.0) -> keras.Model:
    """Builds the backbone.

    Args:
        image_shape: height, width and channels; height and width at least 8.
        width: multiplies every channel count.

    Returns:
        Float images [N, height, width, channels] in 0..1 to features [N, 64 * width].
    """
    image = x = keras.layers.Input(image_shape, name="image")
    for index, channels in enumerate((16, 32, 64), start=1):
        for part in ("first", "second"):
            x = conv_block(x, scaled(channels, width), kernel=3, stride=1, name=f"pair{index}_{part}")
        x = keras.layers.MaxPooling2D(2, padding="same", name=f"pair{index}_pool")(x)
    features = keras.layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(image, features, name="vgg_small")
