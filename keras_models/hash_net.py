"""The small network that tells an ensemble which member answers: three convolutions, as in D-EDM's `conv3`."""

from tinycerb.keras_models.layers import conv_block
from tinycerb.keras_models.legacy import keras

_CHANNELS = (8, 16, 16)


def hash_net(image_shape: tuple[int, int, int]) -> keras.Model:
    """Builds the backbone.

    Args:
        image_shape: height, width and channels.

    Returns:
        Float images [N, height, width, channels] in 0..1 to features [N, 16].
    """
    image = x = keras.layers.Input(image_shape, name="image")
    for index, channels in enumerate(_CHANNELS, start=1):
        x = conv_block(x, channels, kernel=3, stride=2, name=f"hash{index}")
    return keras.Model(image, keras.layers.GlobalAveragePooling2D(name="hash_features")(x), name="hash_net")
