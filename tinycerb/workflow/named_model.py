"""A model as a user names it: a run, a victim's folder, or a .tflite file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tinycerb import file_names
from tinycerb.config.user_sources import is_keras_model
from tinycerb.errors import EnvironmentProblem, UsageError, suggest
from tinycerb.events import say

if TYPE_CHECKING:
    from tinycerb.converters.model_file import ModelFile
    from tinycerb.run.directory import RunDirectory


def open_model_file(named: Path) -> tuple[Path, ModelFile]:
    """Reads the model that a user means; says on standard error which file that is, where it was not named itself.

    Returns:
        The file's path and its content.

    Raises:
        UsageError: no model, or a run without one; the message lists what there is.
        EnvironmentProblem: there is no such file, it cannot be read, or it is not the one that its run has made.
    """
    from tinycerb.converters.model_file import ModelFileError, read_model_file
    from tinycerb.seal.files import verify

    path = find_model(named)
    try:
        file = read_model_file(path)
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {path}: {error.strerror or error}") from error
    except ModelFileError as error:
        raise UsageError(f"{path}: {error}; expected a run, RUN/victims/NAME or a .tflite file") from error
    verify(path)
    return path, file


def find_model(named: Path) -> Path:
    """Returns the path of the .tflite file that a user means; says and raises what `open_model_file` does."""
    if named.is_dir():
        from tinycerb.file_names import MODEL

        if (named / file_names.CONFIG).is_file():
            return _recommended(named)
        if (named / MODEL).is_file():
            _require_plugins(named.parent.parent)
            return _told(named / MODEL)
    run = named.parent.parent if named.parent.name == "victims" else named.parent
    if "victims" in (named.name, named.parent.name) and (run / file_names.CONFIG).is_file():
        raise UsageError(_no_such_victim(named, run))
    if is_keras_model(named) and named.exists():
        raise UsageError(
            f"{named} is a Keras model, and what is asked for is a .tflite file; train it first: tinycerb run --model "
            f"{named} --data DATA (a quantization-aware .h5 of TinyCerb's: tinycerb convert {named})"
        )
    if named.is_dir():
        raise UsageError(f"there is no model in {named}; expected a run, RUN/victims/NAME or a .tflite file")
    if not named.exists():
        near = suggest(named.name, (entry.name for entry in named.parent.glob("*"))) if named.parent.is_dir() else ""
        raise EnvironmentProblem(f"there is no {named}{near}; expected a run, RUN/victims/NAME or a .tflite file")
    _require_plugins(named.absolute().parents[2] if len(named.absolute().parents) > 2 else named.parent)
    return named


def _require_plugins(run: Path) -> None:
    """A model below a run may have a response of a plugin that the run names; others say so when they are opened."""
    from tinycerb.run.directory import RunDirectory

    if (run / file_names.PLUGINS).is_dir() and (run / file_names.CONFIG).is_file():
        RunDirectory.open(run)


def _recommended(path: Path) -> Path:
    from tinycerb.defenses.recommendation import recommended_victim
    from tinycerb.run.directory import RunDirectory

    run = RunDirectory.open(path)
    name = recommended_victim(run.config)
    if not run.model(name).is_file():
        raise UsageError(f"{name}, the recommended victim of {path}, is not converted yet; {_converted(run)}")
    others = [victim.name for victim in run.config.victims if victim.name != name and run.model(victim.name).is_file()]
    return _told(run.model(name), f" (recommended{'; others: ' if others else ''}{', '.join(others)})")


def _no_such_victim(named: Path, path: Path) -> str:
    from tinycerb.run.directory import RunDirectory

    run = RunDirectory.open(path)
    names = [victim.name for victim in run.config.victims]
    if named.name in names:
        return f"the victim {named.name} is not converted yet; {_converted(run)}"
    if named.name == "victims":
        return f"which one? {_converted(run)}"
    return f"{path} has no victim {named.name!r}{suggest(named.name, names)}; {_converted(run)}"


def _converted(run: RunDirectory) -> str:
    names = [victim.name for victim in run.config.victims if run.model(victim.name).is_file()]
    if not names:
        return f"none is converted; do it with: tinycerb convert {run.path}"
    return f"{run.path / 'victims'} has: {', '.join(names)}"


def _told(path: Path, more: str = "") -> Path:
    say(f"model: {path}{more}")
    return path
