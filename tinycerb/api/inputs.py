"""What a caller has in memory, to files: data, pools and models are named by paths wherever work is done."""

import hashlib
import os
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from tinycerb.atomic import pack_arrays, write_bytes
from tinycerb.errors import UsageError

# Below the folder of a run that needs them, for as long as it is worked on.
FOLDER = "inputs"

Arrays = Mapping[str, np.ndarray]
Pair = tuple[np.ndarray, np.ndarray]
Data = str | os.PathLike[str] | Arrays | tuple[Pair, Pair] | Pair
Pool = str | os.PathLike[str] | np.ndarray


@runtime_checkable
class KerasModel(Protocol):
    """A model of tf_keras; TinyCerb looks at nothing but the file that it saves."""

    def save(self, filepath: str) -> object:
        """Writes an .h5 file."""
        ...


Model = str | os.PathLike[str] | KerasModel


def data_source(data: Data | None, folder: Path) -> str:
    """Returns the source that data are named by; arrays are kept in `folder`, under a name of their content.

    Args:
        data: a path or `package.module:function`; or arrays by name, as in a .npz file; or `(images, labels)`; or
            `((x_train, y_train), (x_test, y_test))`, as Keras' data sets come; None for nothing.
        folder: where arrays are kept.

    Raises:
        UsageError: it is none of these.
        EnvironmentProblem: the folder cannot be written.
    """
    if data is None:
        return ""
    if isinstance(data, str | os.PathLike):
        return os.fspath(data)
    if isinstance(data, Mapping):
        return _kept(folder, "data", {str(name): np.asarray(array) for name, array in data.items()})
    if isinstance(data, Sequence) and len(data) == 2:
        first, second = data
        if isinstance(first, Sequence) and isinstance(second, Sequence) and len(first) == len(second) == 2:
            names = ("x_train", "y_train", "x_test", "y_test")
            arrays = map(np.asarray, (*first, *second))
            return _kept(folder, "data", dict(zip(names, arrays, strict=True)))
        return _kept(folder, "data", {"images": np.asarray(first), "labels": np.asarray(second)})
    raise UsageError(
        f"data is {_kind(data)}; allowed: a path, 'package.module:function', a mapping of arrays, (images, labels), or "
        "((x_train, y_train), (x_test, y_test))"
    )


def pool_source(pool: Pool | None, folder: Path) -> str:
    """Returns the source or the name that an attacker's images are named by; errors and `folder` as `data_source`."""
    if pool is None:
        return ""
    if isinstance(pool, str | os.PathLike):
        return os.fspath(pool)
    if isinstance(pool, np.ndarray):
        return _kept(folder, "pool", {"images": pool})
    raise UsageError(f"the pool is {_kind(pool)}; allowed: a pool's name, a path, or an array of images")


def model_source(model: Model | None, folder: Path) -> str:
    """Returns the source that a network is named by; a model of tf_keras is saved in `folder`.

    Raises:
        UsageError: it is neither.
        EnvironmentProblem: the folder cannot be written.
    """
    if model is None:
        return ""
    if isinstance(model, str | os.PathLike):
        return os.fspath(model)
    if not isinstance(model, KerasModel):
        raise UsageError(
            f"the model is {_kind(model)}; allowed: a model of tf_keras, a path, or 'package.module:function'"
        )
    with tempfile.TemporaryDirectory(prefix="tinycerb-") as temporary:
        file = Path(temporary) / "saved.h5"
        # Keras would rather have its newer format, in which a quantization-aware model does not come back.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*HDF5", category=UserWarning)
            model.save(str(file))
        content = file.read_bytes()
    path = folder / f"model-{hashlib.sha256(content).hexdigest()[:16]}.h5"
    write_bytes(path, content)
    return str(path)


def _kept(folder: Path, name: str, arrays: Mapping[str, np.ndarray]) -> str:
    for key, array in arrays.items():
        if array.dtype.hasobject:
            raise UsageError(f"{key} of the {name} is an array of objects; allowed: arrays of numbers, one shape each")
    content = pack_arrays(arrays)
    path = folder / f"{name}-{hashlib.sha256(content).hexdigest()[:16]}.npz"
    write_bytes(path, content)
    return str(path)


def _kind(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__name__}"
