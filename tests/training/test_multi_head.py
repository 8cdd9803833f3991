"""The multi-head model."""

import numpy as np
import pytest

from tinycerb.keras_models import build_backbone
from tinycerb.keras_models.legacy import named_layer
from tinycerb.keras_models.multi_head import attach_heads


def test_demo_net_is_as_large_as_it_says() -> None:
    model = attach_heads(build_backbone("demo_net", (28, 28, 1), 1.0), classes=10, heads=1)
    assert 45_000 <= model.count_params() <= 55_000


def test_heads_start_apart() -> None:
    model = attach_heads(build_backbone("demo_net", (28, 28, 1), 0.5), classes=10, heads=3)
    kernels = [named_layer(model, f"head_{index}").get_weights()[0] for index in range(3)]
    assert all((first != second).any() for first, second in [(kernels[0], kernels[1]), (kernels[1], kernels[2])])
    assert len(model(np.zeros((2, 28, 28, 1), np.float32))) == 3


@pytest.mark.parametrize("heads", [0, 11])
def test_more_heads_than_classes_cannot_all_disagree(heads: int) -> None:
    with pytest.raises(ValueError, match=f"heads is {heads}; allowed: 1 to 10"):
        attach_heads(build_backbone("demo_net", (28, 28, 1), 0.5), classes=10, heads=heads)
