"""Networks in Keras' own archives: a zip file with JSON and an HDF5 file of weights in it.

Where Keras 2 saves on Windows, the groups of weights are called `layers\\dense`, and elsewhere nobody finds them.
"""

import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from tinycerb.keras_models.keras_file.description import Description
from tinycerb.keras_models.keras_file.errors import DamagedKerasFileError, TooLargeError
from tinycerb.keras_models.keras_file.hdf5 import foreign_parts
from tinycerb.keras_models.keras_file.size import require_array_sizes, require_member_sizes, require_size
from tinycerb.keras_models.legacy import keras

_WEIGHTS = "model.weights.h5"
# Further ones are vocabularies and the like, which Keras would unpack to the disk.
_MEMBERS = {"metadata.json", "config.json", _WEIGHTS}


def describe(path: Path, most_bytes: float) -> Description:
    """Reads what a file says about itself.

    Raises:
        DamagedKerasFileError: it cannot be read.
        TooLargeError: it would unpack to more than `most_bytes`.
    """
    try:
        # Where its members are, it says itself, in a part of any length.
        require_size(path.stat().st_size, most_bytes)
        with zipfile.ZipFile(path) as file:
            require_member_sizes(file, most_bytes)
            version = json.loads(file.read("metadata.json"))["keras_version"]
            architecture = json.loads(file.read("config.json"))
            # Optimiser and losses, which are left out when it is loaded.
            architecture.pop("compile_config", None)
            with h5py.File(io.BytesIO(file.read(_WEIGHTS))) as weights:
                parts = [*sorted(set(file.namelist()) - _MEMBERS), foreign_parts(weights)]
                if not parts[0]:
                    require_array_sizes(weights, most_bytes)
            return Description(str(version), architecture, parts[0])
    except (RecursionError, TooLargeError):
        raise
    except Exception as error:  # A damaged archive raises whatever its parts call for, zlib.error among them.
        raise DamagedKerasFileError(f"the model file {path} is corrupt ({error})") from error


def load(path: Path, architecture: object) -> object:
    """Builds the network and gives it its weights."""
    with as_saved_here(path) as readable:
        return keras.models.load_model(readable, compile=False)


@contextmanager
def as_saved_here(path: Path) -> Iterator[Path]:
    """The archive itself, or a copy of one from Windows, whose weights are found."""
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in sorted(_MEMBERS & set(file.namelist()))}
    weights = io.BytesIO(members[_WEIGHTS])
    with h5py.File(weights, "r+") as opened:
        names = _from_windows(opened)
        for name in names:
            opened.move(name, name.replace("\\", "/"))
    if not names:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="tinycerb-") as folder:
        copy = Path(folder, path.name)
        with zipfile.ZipFile(copy, "w") as file:
            for name, content in (members | {_WEIGHTS: weights.getvalue()}).items():
                file.writestr(name, content)
        yield copy


def _from_windows(weights: h5py.File) -> list[str]:
    """Groups with a backslash in their names: the innermost first, and what holds others before those."""
    found: list[str] = []
    weights.visit(lambda name: found.append(name) if "\\" in name.rpartition("/")[2] else None)
    return sorted(found, key=lambda name: (-name.count("/"), len(name)))
