"""Every backbone as an int8 file: untrained, and with real features."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tinycerb.compression.quantization import quantize_aware
from tinycerb.conversion.from_run import convert_model
from tinycerb.conversion.trained_model import from_quantization_aware
from tinycerb.events import ignore
from tinycerb.keras_models import build_backbone
from tinycerb.keras_models.legacy import keras, named_layer
from tinycerb.keras_models.multi_head import attach_heads, head_name
from tinycerb.runtimes.model_card import BundleCard, ModelDescription

HEADS, CLASSES, IMAGES = 3, 10, 100
Size = tuple[tuple[int, int, int], float]
# Image shape and width: small enough for seconds, large enough for every stride.
SMALL: dict[str, Size] = {
    "demo_net": ((28, 28, 1), 0.5),
    "ds_cnn": ((49, 10, 1), 0.25),
    "lenet5": ((28, 28, 1), 0.5),
    "mobilenet_v1": ((32, 32, 3), 0.125),
    "mobilenet_v2": ((32, 32, 3), 0.125),
    "resnet8": ((32, 32, 3), 0.5),
    "vgg_small": ((16, 16, 3), 0.25),
}
# As they are used: the demo's, and those of MLPerf Tiny.
FULL: dict[str, Size] = {
    "demo_net": ((28, 28, 1), 1.0),
    "ds_cnn": ((49, 10, 1), 1.0),
    "lenet5": ((28, 28, 1), 1.0),
    "mobilenet_v1": ((96, 96, 3), 0.25),
    "mobilenet_v2": ((32, 32, 3), 0.35),
    "resnet8": ((32, 32, 3), 1.0),
    "vgg_small": ((32, 32, 3), 0.5),
}


@dataclass(frozen=True)
class ConvertedBackbone:
    """A converted backbone.

    Attributes:
        name: the backbone's name.
        folder: where `model.tflite` and the rest lie.
        card: its `model.json`.
        codes: int8 [IMAGES, height, width, channels], quantized test images.
    """

    name: str
    folder: Path
    card: BundleCard
    codes: np.ndarray


def patches(shape: tuple[int, int, int]) -> np.ndarray:
    """Images of 3x3 even patches: unlike noise, they do not all look alike once a network has averaged them."""
    height, width, channels = shape
    corners = np.random.default_rng(7).integers(0, 256, (IMAGES, 3, 3, channels), dtype=np.uint8)
    rows, columns = np.arange(height) * 3 // height, np.arange(width) * 3 // width
    return corners[:, rows][:, :, columns]


def convert_backbone(name: str, size: Size, folder: Path, heads: int = HEADS) -> ConvertedBackbone:
    """Builds, enlivens and converts a backbone."""
    shape, width = size
    keras.utils.set_random_seed(7)
    images = patches(shape)
    backbone = build_backbone(name, shape, width)
    model = attach_heads(backbone, CLASSES, heads)
    _enliven(backbone, model, images.astype(np.float32) / 255, heads)
    description = ModelDescription(victim=name, image_shape=shape)
    wrapped = quantize_aware(model)
    # Training would settle all ranges in thousands of steps; these images settle them in one.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            tf.__internal__.train, "assign_moving_average", lambda variable, value, *_, **__: variable.assign(value)
        )
        wrapped(images.astype(np.float32) / 255, training=True)
    bundle = convert_model(from_quantization_aware(wrapped, heads), description, images, folder, ignore)
    return ConvertedBackbone(name, folder, bundle.card, bundle.artifact.quantize(images))


def _enliven(backbone: keras.Model, model: keras.Model, images: np.ndarray, heads: int) -> None:
    """Lets an untrained network answer with more than a handful of int8 codes, as a trained one does."""
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.3
    for _ in range(8):
        # Statistics of batch normalisation settle on these images.
        backbone(images, training=True)
    last = [layer for layer in backbone.layers if layer.trainable_weights][-1]
    largest = float(np.max(backbone(images, training=False)))
    # Quantization-aware training begins with a range of 6 for every activation.
    last.set_weights([weight * 5.5 / largest for weight in last.get_weights()[:2]] + last.get_weights()[2:])
    features = backbone(images, training=False).numpy()
    for index in range(heads):
        head = named_layer(model, head_name(index))
        kernel, _ = head.get_weights()
        kernel = kernel * 1.5 / np.std((features - features.mean(axis=0)) @ kernel)
        head.set_weights([kernel, -features.mean(axis=0) @ kernel])
