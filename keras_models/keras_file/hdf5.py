"""Networks in HDF5 files, which can say that a part of them lies in any other file of this machine."""

import importlib
import json
from pathlib import Path
from typing import Protocol

import h5py

from tinycerb.keras_models.keras_file.description import Description
from tinycerb.keras_models.keras_file.errors import DamagedKerasFileError, KerasFileError
from tinycerb.keras_models.keras_file.size import require_array_sizes
from tinycerb.keras_models.legacy import keras

_LINKS = importlib.import_module("h5py.h5l")


def describe(path: Path, most_bytes: float) -> Description:
    """Reads what a file says about itself.

    Raises:
        DamagedKerasFileError: it cannot be read.
        TooLargeError: its arrays take more than `most_bytes`.
        KerasFileError: weights without a network.
    """
    try:
        with h5py.File(path) as file:
            architecture = _scalar(file, "model_config")
            version = _scalar(file, "keras_version") or "unknown"
            parts = foreign_parts(file)
            if not parts:
                require_array_sizes(file, most_bytes)
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise DamagedKerasFileError(f"the model file {path} is corrupt ({error})") from error
    if architecture is None:
        raise KerasFileError(f"{path} holds weights without a network; save the whole: model.save('model.h5')")
    try:
        return Description(_text(version), json.loads(_text(architecture)), parts)
    except ValueError as error:
        raise DamagedKerasFileError(f"the model file {path} is corrupt ({error})") from error


def load(path: Path, architecture: object) -> object:
    """Builds the network and gives it its weights."""
    with h5py.File(path) as file:
        return keras.models.load_model(file, compile=False)


def _scalar(file: h5py.File, name: str) -> object:
    """Returns an attribute, None where there is none; a list of texts may name one long text very often."""
    if name not in file.attrs:
        return None
    if file.attrs.get_id(name).shape != ():
        raise ValueError(f"{name} is not one text")
    return file.attrs[name]


def foreign_parts(file: h5py.File) -> str:
    """Returns the name of a link to another file, or of an array whose bytes lie in one; empty where there is none."""
    return _text(file.id.links.visit(_leads_elsewhere, info=True) or file.visititems(_lies_elsewhere) or "")


class _Link(Protocol):
    type: int


def _leads_elsewhere(name: bytes, info: _Link) -> bytes | None:
    return None if info.type in (_LINKS.TYPE_HARD, _LINKS.TYPE_SOFT) else name


def _lies_elsewhere(name: str, item: object) -> str | None:
    return name if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual) else None


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
