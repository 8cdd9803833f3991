"""Every backbone as an int8 file: small, untrained, and with real features."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from keras_models import BACKBONES, build_backbone
from keras_models.legacy import keras
from keras_models.multi_head import attach_heads
from tinycerb.compression.quantization import quantize_aware
from tinycerb.conversion import convert_model
from tinycerb.events import ignore

HEADS, CLASSES, IMAGES = 3, 10, 100
# Image shape and width: small enough for seconds, large enough for every stride.
SIZES: dict[str, tuple[tuple[int, int, int], float]] = {
    "demo_net": ((28, 28, 1), 0.5),
    "ds_cnn": ((49, 10, 1), 0.25),
    "lenet5": ((28, 28, 1), 0.5),
    "mobilenet_v1": ((32, 32, 3), 0.125),
    "mobilenet_v2": ((32, 32, 3), 0.125),
    "resnet8": ((32, 32, 3), 0.5),
    "vgg_small": ((16, 16, 3), 0.25),
}


@dataclass(frozen=True)
class ConvertedBackbone:
    """A converted backbone.

    Attributes:
        folder: where `model.tflite` and the rest lie.
        card: its `model.json`.
        codes: int8 [IMAGES, height, width, channels], quantized test images.
    """

    folder: Path
    card: dict
    codes: np.ndarray


def patches(shape: tuple[int, int, int]) -> np.ndarray:
    """Images of 3x3 even patches: unlike noise, they do not all look alike once a network has averaged them."""
    height, width, channels = shape
    corners = np.random.default_rng(7).integers(0, 256, (IMAGES, 3, 3, channels), dtype=np.uint8)
    rows, columns = np.arange(height) * 3 // height, np.arange(width) * 3 // width
    return corners[:, rows][:, :, columns]


@pytest.fixture(scope="session", params=BACKBONES)
def converted(request, tmp_path_factory) -> ConvertedBackbone:
    """One backbone after the other; read it, do not change it."""
    name = request.param
    shape, width = SIZES[name]
    keras.utils.set_random_seed(7)
    images = patches(shape)
    model = attach_heads(build_backbone(name, shape, width), CLASSES, HEADS)
    # Statistics of batch normalisation settle, so that activations are neither all zero nor all cut off.
    for _ in range(20):
        model(images[:32].astype(np.float32) / 255, training=True)
    folder = tmp_path_factory.mktemp(name)
    facts = {"schema_version": 1, "victim": name, "image_shape": list(shape), "response": "none"}
    card = convert_model(quantize_aware(model), facts, images, folder, ignore)
    return ConvertedBackbone(folder, card, (images.astype(int) - 128).astype(np.int8))
