"""What a user brings along: a path, or `package.module:function`. Where it is, and how such a function is called."""

import importlib
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinycerb.errors import UsageError, suggest

# The name of data and of a backbone that come from a source instead of a registry.
USER = "user"
# The owner of published experiments: no key, whoever knows the seed knows the teachers.
PUBLIC = "public"
# Images of the victim's own kind: they fit whatever data the user brings.
IN_DISTRIBUTION = "in_distribution"
# No images: for attackers who make their questions up.
NO_POOL = "none"

# Consent is given on a command line and holds for that command's processes; no file of a run can give it.
_ALLOW_CODE = "TINYCERB_ALLOW_CODE"

# What tf_keras saves to a file; a SavedModel is a folder.
KERAS_ENDINGS = (".h5", ".hdf5", ".keras")

_NAME = r"[A-Za-z_]\w*"
_REFERENCE = re.compile(rf"{_NAME}(\.{_NAME})*:{_NAME}")


def is_reference(source: str) -> bool:
    """Whether a source is `package.module:function`."""
    return _REFERENCE.fullmatch(source) is not None


def is_keras_model(path: Path) -> bool:
    """Whether a path is called as a file that tf_keras saves, there or not, or is the folder of a SavedModel."""
    return path.suffix.lower() in KERAS_ENDINGS or (path / "saved_model.pb").is_file()


def is_source(name: str) -> bool:
    """Whether a name is a source, not one of a registry: those have neither slash nor dot nor colon."""
    return any(mark in name for mark in "/.:~")


def absolute(source: str, folder: str = "") -> str:
    """Returns a source that means the same from everywhere: a path in full, a reference as it is."""
    if not source or is_reference(source):
        return source
    return os.path.abspath(Path(folder, Path(source).expanduser()))  # noqa: PTH100  (resolve() would follow links)


def allow_code() -> None:
    """Lets this process and those that it starts run code from the user's model file."""
    os.environ[_ALLOW_CODE] = "1"


def code_is_allowed() -> bool:
    """Whether code from the user's model file may run."""
    return os.environ.get(_ALLOW_CODE) == "1"


@contextmanager
def consent_for_now() -> Iterator[None]:
    """Consent that is given meanwhile ends with it: a program that goes on has not given it for good."""
    before = os.environ.get(_ALLOW_CODE)
    try:
        yield
    finally:
        os.environ.pop(_ALLOW_CODE, None)
        if before is not None:
            os.environ[_ALLOW_CODE] = before


@dataclass(frozen=True)
class Sources:
    """What the command line brings along; empty for nothing.

    Attributes:
        model: `package.module:build`, or a saved tf_keras model.
        data: a .npz file, `package.module:load`, or a folder of images per class.
        query_pool: the attacker's images: a source like `data`, or a registered pool.
    """

    model: str = ""
    data: str = ""
    query_pool: str = ""

    def __bool__(self) -> bool:
        return bool(self.model or self.data or self.query_pool)

    def put_into(self, table: Mapping[str, object]) -> dict[str, object]:
        """Returns a configuration's table with these sources in place of what it names.

        With data but without a query pool nothing is attacked: a pool made for other data does not fit.
        """
        changed = dict(table)
        if self.model:
            changed["model"] = {**_table(table, "model"), "backbone": USER, "source": absolute(self.model)}
        if self.data:
            changed["data"] = {**_table(table, "data"), "name": USER, "source": absolute(self.data)}
        attacks = table.get("attacks")
        if self.query_pool and isinstance(attacks, list):
            changed["attacks"] = [self._asking(attack) for attack in attacks]
        elif self.data:
            changed["attacks"] = []
        return changed

    def _asking(self, attack: object) -> object:
        if not isinstance(attack, Mapping) or attack.get("query_pool") in (IN_DISTRIBUTION, NO_POOL):
            return attack
        pool = self.query_pool
        return {**attack, "query_pool": absolute(pool) if is_source(pool) or Path(pool).exists() else pool}


def anchor(table: dict[str, object], folder: str) -> dict[str, object]:
    """Returns a configuration's table with the paths among its sources counted from `folder`."""
    anchored = dict(table)
    if isinstance(plugins := table.get("plugins"), list):
        anchored["plugins"] = [
            absolute(each, folder) if isinstance(each, str) and each.endswith(".py") else each for each in plugins
        ]
    for section in ("data", "model"):
        found = _table(table, section)
        source = found.get("source")
        if isinstance(source, str):
            anchored[section] = {**found, "source": absolute(source, folder)}
    pictures = _table(table, "out_of_distribution")
    if isinstance(sources := pictures.get("sources"), list):
        found = [absolute(each, folder) if isinstance(each, str) and is_source(each) else each for each in sources]
        anchored["out_of_distribution"] = {**pictures, "sources": found}
    attacks = table.get("attacks")
    if isinstance(attacks, list):
        anchored["attacks"] = [_anchored_attack(attack, folder) for attack in attacks]
    return anchored


def _anchored_attack(attack: object, folder: str) -> object:
    if not isinstance(attack, dict):
        return attack
    pool = attack.get("query_pool")
    return {**attack, "query_pool": absolute(pool, folder)} if isinstance(pool, str) and is_source(pool) else attack


def _table(table: Mapping[str, object], section: str) -> dict[str, object]:
    found = table.get(section, {})
    return found if isinstance(found, dict) else {}


def find_reference(reference: str) -> Callable[..., object]:
    """Imports `package.module:function` and returns the function; modules here are found, too.

    Raises:
        UsageError: it cannot be imported, or is no function.
    """
    module_name, _, name = reference.partition(":")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"cannot import {module_name!r} of {reference!r} ({_describe(error)}); it is looked for in the current "
            f"directory ({Path.cwd()}) and in PYTHONPATH"
        ) from error
    function = getattr(module, name, None)
    if not callable(function):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise UsageError(
            f"{module_name!r} has no function {name!r}{suggest(name, known)}; it has: {', '.join(known) or 'none'}"
        )
    return function


def call_reference(reference: str) -> Any:
    """Returns what `package.module:function` returns.

    Raises:
        UsageError: it cannot be imported, is no function, or fails; the message names the user's line.
    """
    function = find_reference(reference)
    try:
        return function()
    except (Exception, SystemExit) as error:
        raise UsageError(f"{reference} failed: {_describe(error)}; it is called without arguments") from error


def _describe(error: BaseException) -> str:
    """The error in one line, with the place of the user's code that raised it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    place = f", {Path(frames[-1].filename).name} line {frames[-1].lineno}" if len(frames) > 1 else ""
    return f"{type(error).__name__}: {str(error) or 'no message'}{place}"
