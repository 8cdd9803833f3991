"""Suspects: whatever can be asked."""

from pathlib import Path

from tinycerb.config.user_sources import is_keras_model, is_reference
from tinycerb.errors import EnvironmentProblem, UsageError, suggest
from tinycerb.verification.suspects.answers_file import open_answers_file
from tinycerb.verification.suspects.python_code import PythonCode
from tinycerb.verification.suspects.suspect import REFUSED, Suspect, Tell
from tinycerb.verification.suspects.tflite_file import open_tflite_file

__all__ = ["REFUSED", "Suspect", "Tell", "open_suspect"]

KINDS = "a .tflite file, a Keras file, package.module:predict, or a .npz of answers; a device: --port"


def open_suspect(named: str, classes: int) -> Suspect:
    """Opens a suspect that lies on this machine.

    Args:
        named: what a user calls it.
        classes: of the model that it is compared with.

    Raises:
        UsageError: nothing that can be asked.
        EnvironmentProblem: it is missing or corrupt.
    """
    if is_reference(named):
        return PythonCode(named, classes)
    path = Path(named).expanduser()
    if not path.exists():
        near = suggest(path.name, (entry.name for entry in path.parent.glob("*"))) if path.parent.is_dir() else ""
        raise EnvironmentProblem(f"there is no suspect {named[:200]}{near}; allowed: {KINDS}")
    if is_keras_model(path):
        return PythonCode(str(path), classes)
    if path.suffix == ".npz":
        return open_answers_file(path, classes)
    if path.is_dir():
        raise UsageError(f"{path} is a folder; allowed: {KINDS}")
    return open_tflite_file(path, classes)
