"""Backbones and the multi-head model. Keras only: nothing of TinyCerb is imported here.

This module itself imports no Keras, so that names can be looked up without it.
"""

import ast
from importlib import import_module, resources
from typing import Any

# A backbone's name, which is that of its module and of the function in it, and its parameters at 28x28x1 and width 1,
# without a classifier.
PARAMETERS = {
    "demo_net": 49_824,
    "ds_cnn": 24_128,
    "lenet5": 61_708,
    "mobilenet_v1": 3_239_232,
    "mobilenet_v2": 2_257_408,
    "resnet8": 77_728,
    "vgg_small": 72_464,
}
BACKBONES = tuple(PARAMETERS)


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
    return getattr(import_module(f"{__name__}.{name}"), name)(image_shape, width)


def about_backbone(name: str) -> str:
    """Returns what a backbone's module says of it, and the second paragraph of its function; neither is imported."""
    tree = ast.parse((resources.files(__name__) / f"{name}.py").read_text())
    (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    _, second, *_ = (ast.get_docstring(function) or "").split("\n\n")
    return "\n\n".join(filter(None, (ast.get_docstring(tree), second if not second.startswith("Args:") else "")))
