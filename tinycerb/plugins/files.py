"""A plugin's files, read without running any of them."""

import hashlib
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import invalidate_caches
from importlib.machinery import PathFinder
from pathlib import Path

from tinycerb.bounded.files import MOST_TEXT, read_bytes
from tinycerb.errors import EnvironmentProblem, UsageError, suggest

_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
# Python, and the C part of a response.
_ENDINGS = (".py", ".c", ".h")
_MOST_FILES = 200


@dataclass(frozen=True)
class Plugin:
    """A plugin as it was read.

    Attributes:
        name: the module's, with its packages.
        given: how it was named: the same, or the path of a .py file.
        root: the folder that the module, or its outermost package, lies in.
        files: contents by name, counted from there, with slashes.
    """

    name: str
    given: str
    root: Path
    files: Mapping[str, bytes]

    @property
    def sha256(self) -> str:
        """The SHA-256 of its file; of several, that of the lines that `sha256sum` prints of them, sorted by name."""
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in self.files.items()}
        if len(digests) == 1:
            return next(iter(digests.values()))
        lines = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
        return hashlib.sha256(lines.encode()).hexdigest()

    @property
    def path(self) -> Path:
        """Its file, or the folder of its outermost package."""
        top = self.name.partition(".")[0]
        return self.root / (f"{top}.py" if f"{top}.py" in self.files else top)

    @property
    def paths(self) -> set[Path]:
        """Its Python files."""
        return {self.root / name for name in self.files if name.endswith(".py")}


def plugin_name(given: str) -> str:
    """Returns the name of the module that a name or the path of a .py file stands for.

    Raises:
        UsageError: it is neither.
    """
    name = Path(given).stem if given.endswith(".py") else given
    if not _NAME.fullmatch(name) or (given.endswith(".py") and "." in name):
        raise UsageError(
            f"plugin {given!r} is neither a module's name, such as my_defence or my_package.defences, nor the path of "
            "a .py file"
        )
    return name


def find_plugin(given: str, folders: Sequence[str] = ()) -> Plugin:
    """Finds and reads a plugin; nothing of it runs.

    Args:
        given: a module that can be imported, from here or by PYTHONPATH, or the path of a .py file.
        folders: where a module is looked for instead.

    Raises:
        UsageError: there is none, or it is no module of a user's.
        EnvironmentProblem: it cannot be read.
    """
    name = plugin_name(given)
    top = name.partition(".")[0]
    if given.endswith(".py"):
        file = Path(given).expanduser().absolute()
        if not file.is_file():
            near = suggest(file.name, (path.name for path in file.parent.glob("*.py")))
            raise UsageError(f"plugin {given!r}: there is no such file{near}")
        return Plugin(name, str(file), file.parent, _files_of_module(file))
    # Folders may have got files since Python looked at them.
    invalidate_caches()
    spec = PathFinder.find_spec(top, folders or [str(Path.cwd()), *sys.path])
    origin = Path(spec.origin).absolute() if spec is not None and spec.origin else None
    if origin is None or origin.suffix != ".py":
        raise UsageError(_not_found(given, origin))
    if origin.name != "__init__.py":
        if name != top:
            raise UsageError(f"plugin {given!r}: {origin} is no package; name it by --plugin {top}")
        return Plugin(name, given, origin.parent, _files_of_module(origin))
    plugin = Plugin(name, given, origin.parents[1], _files_of_package(origin.parent))
    module = name.replace(".", "/")
    if not {f"{module}.py", f"{module}/__init__.py"} & {*plugin.files}:
        modules = sorted(path[:-3].replace("/", ".") for path in plugin.files if path.endswith(".py"))
        raise UsageError(f"plugin {given!r}: {origin.parent} has no such module{suggest(name, modules)}")
    return plugin


def _not_found(given: str, origin: Path | None) -> str:
    if origin is not None:
        return f"plugin {given!r}: {origin} is no Python source; expected a module of your own"
    here = sorted(
        {path.stem for path in Path.cwd().glob("*.py")}
        | {path.parent.name for path in Path.cwd().glob("*/__init__.py")}
    )
    listed = f" (which has: {', '.join(here[:8])})" if here else ""
    return (
        f"there is no plugin {given!r}{suggest(given, here)}; it is looked for in the current directory "
        f"{Path.cwd()}{listed}, in PYTHONPATH and among installed packages; a file elsewhere is given by its path: "
        f"--plugin FOLDER/{given.rpartition('.')[2]}.py"
    )


def _files_of_module(file: Path) -> dict[str, bytes]:
    beside = [file.with_suffix(ending) for ending in _ENDINGS]
    return {path.name: _read(path) for path in beside if path.is_file()}


def _files_of_package(folder: Path) -> dict[str, bytes]:
    found = sorted(path for path in folder.rglob("*") if path.suffix in _ENDINGS and path.is_file())
    if len(found) > _MOST_FILES:
        raise UsageError(f"plugin {folder} has {len(found)} source files; allowed: {_MOST_FILES}")
    return {path.relative_to(folder.parent).as_posix(): _read(path) for path in found}


def _read(path: Path) -> bytes:
    try:
        return read_bytes(path, MOST_TEXT)
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {path}: {error.strerror}") from error
