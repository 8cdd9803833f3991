"""However much is asked for, a layer never loses its last channel."""

import pytest

from tests.compression.pruned import L, functional, largest_difference, prune


def narrow(x):
    x = L.Conv2D(4, 3, padding="same", name="narrow")(x)
    x = L.Conv2D(1, 1, name="single")(L.ReLU()(x))
    return L.Conv2D(10, 1, name="wide")(x)


@pytest.mark.parametrize(("multiple", "kept"), [(1, [1, 1, 1]), (4, [4, 1, 4]), (8, [4, 1, 8])])
def test_one_multiple_or_all_there_is_stays(multiple: int, kept: list[int]) -> None:
    pruned = prune(functional(narrow), ratio=0.9, multiple=multiple)
    assert pruned.kept == kept
    assert largest_difference(pruned) == 0.0
