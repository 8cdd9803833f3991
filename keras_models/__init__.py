"""Backbones and the multi-head model. Keras only: nothing of TinyCerb is imported here.

This module itself imports no Keras, so that names can be looked up without it.
"""

from importlib import import_module
from typing import Any

# A backbone's name is the name of its module and of the function in it.
BACKBONES = ("demo_net", "ds_cnn", "lenet5", "mobilenet_v1", "mobilenet_v2", "resnet8", "vgg_small")


def build_backbone(name: str, image_shape: tuple[int, int, int], width: float) -> Any:
    """Builds a Keras model from float images in 0..1 to features [N, F].

    Args:
        name: one of `BACKBONES`.
        image_shape: height, width and channels.
        width: multiplies every channel count.

    Raises:
        ValueError: unknown name.
    """
    if name not in BACKBONES:
        raise ValueError(f"unknown backbone {name!r}; known: {', '.join(BACKBONES)}")
    return getattr(import_module(f"keras_models.{name}"), name)(image_shape, width)
