"""Arrays under names that come from files of other people: nothing in a name means anything on the way."""

import io
import json
from collections.abc import Mapping

import numpy as np


def pack_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Returns arrays and their names as one .npz."""
    names = np.frombuffer(json.dumps(list(arrays)).encode(), np.uint8)
    packed = io.BytesIO()
    np.savez(packed, names, *arrays.values())
    return packed.getvalue()


def unpack_arrays(content: bytes) -> dict[str, np.ndarray]:
    """Reads what `pack_arrays` gave.

    Raises:
        ValueError: it did not.
        KeyError: likewise.
    """
    with np.load(io.BytesIO(content), allow_pickle=False) as packed:
        names = json.loads(packed["arr_0"].tobytes())
        return {name: packed[f"arr_{index + 1}"] for index, name in enumerate(names)}
