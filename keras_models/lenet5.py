"""LeNet-5 (LeCun et al., 1998) with ReLU and max pooling: convolutions without batch norm, then dense layers."""

from tinycerb.keras_models.layers import scaled
from tinycerb.keras_models.legacy import keras


def lenet5(image_shape: tuple[int, int, int], width: float = 1.0) -> keras.Model:
    """Builds the backbone.

    Args:
        image_shape: height, width and channels; height and width at least 16.
        width: multiplies every channel count.

    Returns:
        Float images [N, height, width, channels] in 0..1 to features [N, 84 * width].
    """
    image = keras.layers.Input(image_shape, name="image")
    x = keras.layers.Conv2D(scaled(8, width), 5, padding="same", activation="relu", name="conv1")(image)
    x = keras.layers.MaxPooling2D(name="pool1")(x)
    x = keras.layers.Conv2D(scaled(16, width), 5, activation="relu", name="conv2")(x)
    x = keras.layers.MaxPooling2D(name="pool2")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(scaled(120, width), activation="relu", name="dense1")(x)
    features = keras.layers.Dense(scaled(84, width), activation="relu", name="features")(x)
    return keras.Model(image, features, name="lenet5")
