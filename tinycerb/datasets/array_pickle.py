"""Pickles that may hold NumPy arrays and nothing else."""

import gzip
import pickle
import zlib
from pathlib import Path
from typing import ClassVar

import numpy as np

from tinycerb.errors import EnvironmentProblem


class ArrayUnpickler(pickle.Unpickler):
    """Builds NumPy arrays; any other object in the pickle is an error, so no code of the file ever runs."""

    _ALLOWED: ClassVar[set[tuple[str, str]]] = {
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("_codecs", "encode"),
    }

    def find_class(self, module: str, name: str) -> object:
        """Returns an allowed constructor and refuses all others."""
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}; only NumPy arrays are allowed")
        return super().find_class(module.replace("numpy._core", "numpy.core"), name)


def read_array_pickle(path: Path, remedy: str) -> np.ndarray:
    """Reads one array from a gzipped pickle.

    Args:
        path: the file.
        remedy: the command that brings a sound copy, for the error message.

    Raises:
        EnvironmentProblem: missing, corrupt, or holding anything but an array of numbers.
    """
    problem = f"the data file {path} is missing or corrupt ({{}}); mend it with: {remedy}"
    try:
        with gzip.open(path) as file:
            array = np.asarray(ArrayUnpickler(file).load())
    # A damaged pickle raises whatever its damaged bytes happen to call for.
    except (OSError, EOFError, zlib.error, pickle.UnpicklingError, ValueError, TypeError, KeyError) as error:
        raise EnvironmentProblem(problem.format(error)) from error
    except (AttributeError, IndexError, MemoryError, OverflowError, ImportError) as error:
        raise EnvironmentProblem(problem.format(error)) from error
    if array.dtype.kind not in "iuf":
        raise EnvironmentProblem(problem.format(f"dtype {array.dtype}, expected numbers"))
    return array
