"""The backbones: as large as the published networks, and each prunable without a trace."""

import numpy as np
import pytest

from tinycerb.keras_models import BACKBONES, build_backbone
from tinycerb.keras_models.legacy import keras
from tinycerb.keras_models.multi_head import attach_heads


def multiply_accumulates(model: keras.Model) -> int:
    """Counts from the layers' shapes, convolutions and dense layers only."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            total += int(np.prod(layer.output_shape[1:])) * int(np.prod(layer.kernel_size))
        elif isinstance(layer, keras.layers.Conv2D):
            total += int(np.prod(layer.output_shape[1:])) * int(np.prod(layer.kernel.shape[:3]))
        elif isinstance(layer, keras.layers.Dense):
            total += int(np.prod(layer.kernel.shape))
    return total


@pytest.mark.parametrize(
    ("name", "shape", "width", "classes", "parameters", "macs"),
    [
        ("resnet8", (32, 32, 3), 1.0, 10, 78_666, 12_501_632),
        ("mobilenet_v1", (96, 96, 3), 0.25, 2, 221_794, 7_489_664),
        ("ds_cnn", (49, 10, 1), 1.0, 12, 24_908, 2_656_768),
    ],
)
def test_mlperf_tiny_networks_have_the_published_size(name, shape, width, classes, parameters, macs) -> None:
    model = attach_heads(build_backbone(name, shape, width), classes, heads=1)
    assert model.count_params() == parameters
    assert multiply_accumulates(model) == macs


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize(("shape", "width"), [((28, 28, 1), 0.5), ((33, 47, 3), 1.0)])
def test_any_shape_and_width_gives_a_feature_vector(name: str, shape: tuple[int, int, int], width: float) -> None:
    model = build_backbone(name, shape, width)
    features = model(np.zeros((2, *shape), np.float32))
    assert features.shape[0] == 2
    assert len(features.shape) == 2
    assert model.layers[-1].name == "features"


def test_an_unknown_backbone_lists_the_known() -> None:
    with pytest.raises(ValueError, match="known: demo_net, ds_cnn"):
        build_backbone("resnet9", (28, 28, 1), 1.0)
