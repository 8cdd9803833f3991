"""ResNet-8, the image classification network of MLPerf Tiny."""

from tinycerb.keras_models.layers import scaled
from tinycerb.keras_models.legacy import keras


def resnet8(image_shape: tuple[int, int, int], width: float = 1.0) -> keras.Model:
    """Builds the backbone of He et al.'s CIFAR ResNet with three stacks of two convolutions.

    At 32x32x3 with ten classes it has 78,666 parameters and 12,501,632 multiply-accumulates.

    Args:
        image_shape: height, width and channels; height and width at least 4.
        width: multiplies every channel count.

    Returns:
        Float images [N, height, width, channels] in 0..1 to features [N, 64 * width].
    """
    image = keras.layers.Input(image_shape, name="image")
    x = _convolution(image, scaled(16, width), stride=1, name="stem", relu=True)
    for index, channels in enumerate((16, 32, 64)):
        stride = 1 if index == 0 else 2
        x = _stack(x, scaled(channels, width), stride, name=f"stack{index + 1}")
    features = keras.layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(image, features, name="resnet8")


def _stack(x, channels: int, stride: int, name: str):
    inner = _convolution(x, channels, stride, f"{name}_first", relu=True)
    inner = _convolution(inner, channels, 1, f"{name}_second", relu=False)
    # The reference has a bare convolution on the shortcut, no batch normalisation.
    if stride != 1:
        x = keras.layers.Conv2D(channels, 1, stride, padding="same", name=f"{name}_shortcut")(x)
    x = keras.layers.Add(name=f"{name}_add")([x, inner])
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _convolution(x, channels: int, stride: int, name: str, relu: bool):
    x = keras.layers.Conv2D(channels, 3, stride, padding="same", name=name)(x)
    x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x) if relu else x
