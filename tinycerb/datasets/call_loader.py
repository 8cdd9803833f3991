"""`python -m tinycerb.datasets.call_loader REFERENCE FILE`: calls a user's loader and leaves its arrays in a file."""

import sys
from collections.abc import Mapping

import numpy as np

from tinycerb.config.user_sources import call_reference
from tinycerb.errors import UsageError
from tinycerb.subprocess_call import answer

_SHAPES = (
    "allowed: ((train_images, train_labels), (test_images, test_labels)) as keras.datasets returns them, a dict with "
    "the keys of a .npz file, or one array of images for a query pool"
)


def as_arrays(loaded: object, reference: str) -> dict[str, np.ndarray]:
    """Returns what a loader has returned under the keys that a .npz file would have.

    Raises:
        UsageError: anything but arrays.
    """
    if isinstance(loaded, Mapping):
        named = {str(key): value for key, value in loaded.items()}
    elif isinstance(loaded, tuple) and [isinstance(p, tuple | list) and len(p) == 2 for p in loaded] == [True] * 2:
        (train_images, train_labels), (test_images, test_labels) = loaded
        named = {"train_images": train_images, "train_labels": train_labels}
        named |= {"test_images": test_images, "test_labels": test_labels}
    elif isinstance(loaded, np.ndarray):
        named = {"images": loaded}
    else:
        raise UsageError(f"{reference} returned a {type(loaded).__name__}; {_SHAPES}")
    try:
        arrays = {key: np.asarray(value) for key, value in named.items()}
    except ValueError as error:
        raise UsageError(f"{reference} returned what is no array ({error}); {_SHAPES}") from error
    for key, array in arrays.items():
        if array.dtype.kind == "O":
            raise UsageError(f"{reference} returned Python objects under {key!r}; {_SHAPES}")
    return arrays


def _work() -> None:
    reference, path = sys.argv[1:]
    np.savez(path, **as_arrays(call_reference(reference), reference))


if __name__ == "__main__":
    answer(_work)
