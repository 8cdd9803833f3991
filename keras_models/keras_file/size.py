"""What a network takes, asked before it is built or its weights are unpacked: a few bytes can ask for terabytes."""

import json
import math
import zipfile
from typing import cast

import h5py
import tensorflow as tf

from tinycerb.keras_models.keras_file.errors import TooLargeError
from tinycerb.keras_models.legacy import keras

_FLOAT = 4
# What Keras writes. Others unpack far more than they are asked for.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def require_size(wanted: int, most: float) -> None:
    """Compares what is asked for with what may be taken.

    Args:
        wanted: bytes.
        most: how many are allowed; infinity for any number.

    Raises:
        TooLargeError: more.
    """
    if wanted > most:
        words = f"{wanted / 2**20:,.0f}" if wanted < 2**80 else "2^60 and more"
        raise TooLargeError(f"{words} MiB of weights, where {most / 2**20:,.0f} are allowed")


def require_member_sizes(file: zipfile.ZipFile, most: float) -> None:
    """Looks at what a zip file's members say that they unpack to; more of them is never unpacked.

    Raises:
        TooLargeError: more than is allowed, or a member that is packed by a method without a bound.
    """
    require_size(sum(member.file_size for member in file.infolist()), most)
    if any(member.compress_type not in _METHODS for member in file.infolist()):
        raise TooLargeError("members that are packed by a method that Keras does not use")


def require_array_sizes(file: h5py.File, most: float) -> None:
    """Looks at the shapes of an HDF5 file's arrays, and at every mention of them, since each is read by itself.

    Raises:
        TooLargeError: more than is allowed, or an array whose elements have no fixed size.
    """
    stored, mentioned = 0, 0

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        nonlocal stored, mentioned
        if isinstance(item, h5py.Dataset):
            if item.dtype.hasobject:
                raise TooLargeError(f"the array {name!r}, whose elements have no fixed size")
            stored += _bytes(item)
        for weight in item.attrs.get("weight_names", ()):
            found = item.get(weight) if isinstance(item, h5py.Group) else None
            mentioned += _bytes(found) if isinstance(found, h5py.Dataset) else 0

    file.visititems(visit)
    require_size(max(stored, mentioned), most)


def _bytes(array: h5py.Dataset) -> int:
    return math.prod(array.shape or ()) * array.dtype.itemsize


def require_network_size(architecture: object, most: float) -> None:
    """Builds a network as a graph, where variables have shapes and no memory, and counts its weights.

    Raises:
        TooLargeError: more than is allowed.
        Exception: whatever Keras raises for a network that cannot be built.
    """
    if most == math.inf:
        return
    with tf.Graph().as_default():
        # With seeds of its own: what is built afterwards must draw what it would have drawn.
        network = cast(keras.Model, keras.models.model_from_json(json.dumps(_seeded(architecture))))
    require_size(_FLOAT * sum(math.prod(weight.shape) for weight in network.weights), most)


def _seeded(value: object) -> object:
    if isinstance(value, list):
        return [_seeded(item) for item in value]
    if isinstance(value, dict):
        return {key: 1 if key == "seed" and item is None else _seeded(item) for key, item in value.items()}
    return value
