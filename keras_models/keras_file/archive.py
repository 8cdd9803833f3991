"""Networks in Keras' own archives: a zip file with JSON and an HDF5 file of weights in it."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

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


def load(path: Path, architecture: Any) -> Any:
    """Builds the network and gives it its weights."""
    return keras.models.load_model(path, compile=False)
