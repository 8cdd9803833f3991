"""A layer that is used twice cannot be cut twice: it is refused by name, and leaves the model as it was."""

import numpy as np
import pytest

from tests.compression.pruned import L, functional, prune
from tinycerb.errors import UsageError


def test_a_shared_convolution_is_named() -> None:
    shared = L.Conv2D(3, 1, name="shared")
    model = functional(lambda x: shared(shared(x)))
    before = model.get_weights()
    with pytest.raises(UsageError, match="'shared' is used 2 times"):
        prune(model)
    assert all(np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True))


def test_a_shared_norm_is_named() -> None:
    shared = L.BatchNormalization(name="norm")
    model = functional(lambda x: shared(L.Conv2D(3, 1)(shared(x))))
    with pytest.raises(UsageError, match="'norm' is used 2 times"):
        prune(model)
