"""A network that is built and trained in seconds, with everything that pruning and quantization follow."""

from tinycerb.keras_models.legacy import keras


def build() -> keras.Model:
    """Returns a classifier of 12x12x1 images in three classes."""
    image = keras.layers.Input((12, 12, 1))
    x = image
    for index in range(2):
        x = keras.layers.Conv2D(8, 3, 2, padding="same", use_bias=False, name=f"convolution{index}")(x)
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"norm{index}")(x)
        x = keras.layers.ReLU(name=f"relu{index}")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(image, keras.layers.Dense(3, activation="softmax", name="classifier")(x))
