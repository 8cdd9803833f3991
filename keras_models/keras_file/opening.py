"""The only door through which a network comes in from a file.

A file may come from a stranger, and Keras imports and calls what a file names. So its architecture is read as plain
JSON and checked before Keras sees it.
"""

import math
from contextlib import nullcontext
from pathlib import Path
from typing import Protocol

from tinycerb.keras_models.keras_file import archive, hdf5, saved_model
from tinycerb.keras_models.keras_file.architecture import check_architecture
from tinycerb.keras_models.keras_file.description import Description
from tinycerb.keras_models.keras_file.errors import (
    DamagedKerasFileError,
    ForeignCodeError,
    KerasFileError,
    TooLargeError,
)
from tinycerb.keras_models.keras_file.size import require_network_size
from tinycerb.keras_models.legacy import keras, require_legacy_model


def open_keras_file(path: Path, allow_code: bool = False, most_bytes: float = math.inf) -> keras.Model:
    """Opens a network that Keras 2 has saved, with its weights, not compiled.

    Quantization-aware models need TF-MOT's `quantize_scope` around the call.

    Args:
        path: an HDF5 file, an archive (.keras), or the folder of a SavedModel.
        allow_code: whether the user wants it opened though it may run any code.
        most_bytes: memory that its weights may take.

    Raises:
        ForeignCodeError: it names code or files that are not known to be harmless; nothing of it has run.
        DamagedKerasFileError: missing or corrupt.
        TooLargeError: it asks for more than `most_bytes`; nothing of that size was made.
        KerasFileError: weights without a network, Keras 3, or a network that Keras cannot build.
    """
    form = _form(path)
    try:
        described = form.describe(path, most_bytes)
        _require_keras_2(described.version, path)
        if not allow_code:
            _refuse_foreign(described)
    except ForeignCodeError as error:
        raise ForeignCodeError(f"{path} holds {error}; such a file is not opened") from error
    except TooLargeError as error:
        raise TooLargeError(f"{path} holds {error}") from error
    except RecursionError as error:
        raise DamagedKerasFileError(f"the model file {path} is corrupt (nested too deep)") from error
    try:
        if allow_code:
            with archive.as_saved_here(path) if form is archive else nullcontext(path) as readable:
                return require_legacy_model(keras.models.load_model(readable, compile=False, safe_mode=False))
        require_network_size(described.architecture, most_bytes)
        return require_legacy_model(form.load(path, described.architecture))
    except TooLargeError as error:
        raise TooLargeError(f"{path} describes {error}") from error
    except Exception as error:  # Keras raises whatever the content of a file makes it trip over.
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise KerasFileError(f"{path} cannot be loaded: {first}") from error


def is_saved_model(path: Path) -> bool:
    """Whether a path is the folder of a SavedModel."""
    return (path / "saved_model.pb").is_file()


class _Form(Protocol):
    """How a network can be stored."""

    def describe(self, path: Path, most_bytes: float) -> Description: ...
    def load(self, path: Path, architecture: object) -> object: ...


def _form(path: Path) -> _Form:
    if is_saved_model(path):
        return saved_model
    if not path.is_file():
        raise DamagedKerasFileError(f"there is no model file {path}")
    return archive if path.suffix.lower() == ".keras" else hdf5


def _refuse_foreign(described: Description) -> None:
    if described.foreign_part:
        raise ForeignCodeError(f"more than a network and its weights ({described.foreign_part!r})")
    check_architecture(described.architecture)


def _require_keras_2(version: str, path: Path) -> None:
    if not version.startswith("2."):
        raise KerasFileError(
            f"{path} was saved by Keras {version}; pruning and quantization-aware training take Keras 2 models. Build "
            "the same network with `import tf_keras as keras` instead of `import keras`, carry its weights over with "
            "new_model.set_weights(old_model.get_weights()), and save that one: new_model.save('model.h5')"
        )
