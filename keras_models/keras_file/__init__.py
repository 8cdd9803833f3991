"""Networks from files: one door, which runs nothing that a file brings along."""

from tinycerb.keras_models.keras_file.errors import (
    DamagedKerasFileError,
    ForeignCodeError,
    KerasFileError,
    TooLargeError,
)
from tinycerb.keras_models.keras_file.opening import is_saved_model, open_keras_file

__all__ = [
    "DamagedKerasFileError",
    "ForeignCodeError",
    "KerasFileError",
    "TooLargeError",
    "is_saved_model",
    "open_keras_file",
]
