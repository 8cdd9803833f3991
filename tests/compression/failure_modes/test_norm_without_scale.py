"""A batch normalisation without scale, or without shift, masks what it has; the moving mean always."""

import pytest

from tests.compression.pruned import L, functional, largest_difference, prune


@pytest.mark.parametrize("options", [{"scale": False}, {"center": False}, {"scale": False, "center": False}])
def test_surgery_is_exact_without_parts_of_it(options) -> None:
    def build(x):
        x = L.Conv2D(16, 3, padding="same", name="stem")(x)
        x = L.ReLU()(L.BatchNormalization(name="norm", **options)(x))
        return L.Conv2D(8, 1, name="next")(L.DepthwiseConv2D(3, padding="same")(x))

    pruned = prune(functional(build))
    assert all(len(weight) == 8 for weight in pruned.slim.get_layer("norm").get_weights())
    assert largest_difference(pruned) == 0.0
