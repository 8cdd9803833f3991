"""The table of backbones: those of `keras_models`, and those that plugins add. Keras is imported where one is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tinycerb import keras_models
from tinycerb.registry import Registry

if TYPE_CHECKING:
    from tinycerb.keras_models.legacy import keras

# (image shape, what multiplies every channel count) -> float images in 0..1 to features [N, F]
Backbone = Callable[[tuple[int, int, int], float], "keras.Model"]
BACKBONES: Registry[Backbone] = Registry("backbone")


def _built_in(name: str) -> Backbone:
    def build(image_shape: tuple[int, int, int], width: float) -> keras.Model:
        return keras_models.build_backbone(name, image_shape, width)

    return build


for _name in keras_models.BACKBONES:
    BACKBONES.register(_name)(_built_in(_name))
