"""Imports plugins, and lets the processes that this one starts import the same bytes."""

import importlib
import json
import os
import re
import sys
import traceback
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

from tinycerb.errors import EnvironmentProblem, TinyCerbError, UsageError
from tinycerb.plugins.files import Plugin, find_plugin, plugin_name
from tinycerb.registry import Registry

# For child processes alone: whoever sets it runs the code that it names.
_VARIABLE = "TINYCERB_PLUGINS"
# A name that stands in texts of options, in paths and in TOML.
_PART = re.compile(r"[A-Za-z]\w*(-\w+)*")
_loaded: dict[str, Plugin] = {}


class NotLoaded(UsageError):
    """A run or a configuration names plugins that nobody has agreed to run here.

    Attributes:
        plugins: as they are named there.
        run: the run directory, None for a configuration.
    """

    def __init__(self, message: str, plugins: Sequence[str] = (), run: Path | None = None) -> None:
        """Takes the message and what it is about."""
        super().__init__(message)
        self.plugins, self.run = plugins, run


class _Bytes(SourceLoader):
    """Runs what was read; no file that is changed meanwhile, and no bytecode from elsewhere."""

    def __init__(self, content: bytes, path: Path) -> None:
        self._content, self._path = content, path

    def get_data(self, path: str | bytes) -> bytes:
        return self._content

    def get_filename(self, fullname: str) -> str:
        return str(self._path)


class _Finder(MetaPathFinder):
    """Finds the modules of the plugins that are loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        base = fullname.replace(".", "/")
        top = fullname.partition(".")[0]
        plugin = next((each for each in _loaded.values() if each.name.partition(".")[0] == top), None)
        for name in (f"{base}.py", f"{base}/__init__.py"):
            if plugin is not None and name in plugin.files:
                file = plugin.root / name
                inside = [str(file.parent)] if file.name == "__init__.py" else None
                loader = _Bytes(plugin.files[name], file)
                return spec_from_file_location(fullname, file, loader=loader, submodule_search_locations=inside)
        return None


def loaded_plugins() -> tuple[Plugin, ...]:
    """Returns the plugins of this process, in the order in which they were loaded."""
    return tuple(_loaded.values())


def load_plugin(plugin: Plugin) -> None:
    """Imports a plugin; one of the same bytes that is loaded stays, one of other bytes is replaced.

    Raises:
        UsageError: it cannot be imported, registers nothing, takes a name that is taken, or imports TensorFlow at once.
    """
    old = _loaded.get(plugin.name)
    if old is not None and old.sha256 == plugin.sha256:
        return
    if old is not None:
        _unload(old)
    top = plugin.name.partition(".")[0]
    if top in sys.modules:
        raise UsageError(
            f"plugin {plugin.given!r}: the name {top!r} is taken by the module {_origin(sys.modules[top])}; rename "
            "yours"
        )
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    _loaded[plugin.name] = plugin
    had_tensorflow = "tensorflow" in sys.modules
    try:
        importlib.import_module(plugin.name)
        _check(plugin)
        if "tensorflow" in sys.modules and not had_tensorflow:
            raise UsageError(
                f"plugin {plugin.given!r} imports TensorFlow when it is loaded, and some processes must not have it; "
                "import it in the functions that compute"
            )
    except TinyCerbError:
        _unload(plugin)
        raise
    except (Exception, SystemExit) as error:
        _unload(plugin)
        raise UsageError(f"plugin {plugin.given!r} cannot be imported: {_last_line(plugin, error)}") from error
    hand_over(loaded_plugins())


def _origin(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or "of Python's own"


def _check(plugin: Plugin) -> None:
    found = [(table, name) for table in Registry.tables for name in table.registered_in(plugin.paths)]
    if not found:
        raise UsageError(
            f"plugin {plugin.given!r} ({plugin.path}) registers nothing; give a part a name in one of the tables, such "
            'as @ATTACKS.register("my_attack") of tinycerb.attacks'
        )
    for table, name in found:
        called = getattr(table[name], "name", name)
        fields = getattr(table[name], "__dataclass_fields__", {})
        if missing := [each for each in table.members if not hasattr(table[name], each) and each not in fields]:
            raise UsageError(f"{table.place(name)}: the {table.kind} {name!r} lacks {', '.join(missing)}")
        if isinstance(table[name], type) and "__dataclass_fields__" not in vars(table[name]):
            raise UsageError(
                f"{table.place(name)}: the {table.kind} {name!r} is no dataclass, and its fields are its options: "
                "write @dataclass(frozen=True) above the class"
            )
        if not _PART.fullmatch(name):
            raise UsageError(
                f"{table.place(name)}: the {table.kind} {name!r} has no name that configurations can hold; allowed: "
                "letters, digits, _ and -, a letter first"
            )
        if isinstance(called, str) and called != name:
            raise UsageError(
                f"{table.place(name)}: the {table.kind} {name!r} calls itself {called!r}; give it the same name"
            )


def _unload(plugin: Plugin) -> None:
    for table in Registry.tables:
        for name in table.registered_in(plugin.paths):
            table.remove(name)
    top = plugin.name.partition(".")[0]
    for name in [name for name in sys.modules if name == top or name.startswith(f"{top}.")]:
        del sys.modules[name]
    _loaded.pop(plugin.name, None)


def _last_line(plugin: Plugin, error: BaseException) -> str:
    """The traceback's last line, and where in the plugin it happened."""
    said = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    if isinstance(error, SyntaxError) and error.filename:
        return f"{said} ({error.filename}:{error.lineno})"
    hint = ""
    if isinstance(error, ModuleNotFoundError) and (plugin.root / f"{error.name}.py").is_file():
        hint = f"; a plugin of several files is a package: a folder with {error.name}.py and an __init__.py"
    return f"{said}{_place(plugin, error)}{hint}"


def _place(plugin: Plugin, error: BaseException) -> str:
    inside = {str(path) for path in plugin.paths}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in inside]
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""


def blame(error: BaseException) -> str:
    """Returns whose fault an error is if it comes from a plugin: its name, the error and the line; else ""."""
    for plugin in loaded_plugins():
        if place := _place(plugin, error):
            said = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
            return f"plugin {plugin.given!r} failed: {said}{place}"
    return ""


def sources_beside(file: Path) -> dict[Path, bytes]:
    """Returns the Python files of the plugin that a file belongs to, as they were read; none for other files."""
    plugin = next((each for each in loaded_plugins() if file in each.paths), None)
    return {path: plugin.files[path.relative_to(plugin.root).as_posix()] for path in plugin.paths} if plugin else {}


def require_plugins(named: Iterable[str], where: str, run: Path | None = None) -> None:
    """Sees to it that plugins which a file names are loaded; it loads none.

    Args:
        named: as the file names them.
        where: what to call the file.
        run: the run directory that it belongs to, None for a configuration of the user's.

    Raises:
        NotLoaded: some are not.
    """
    missing = [each for each in named if plugin_name(each) not in _loaded]
    if missing:
        options = " ".join(f"--plugin {each}" for each in missing)
        raise NotLoaded(
            f"{where} names the plugin{'s' if len(missing) > 1 else ''} {', '.join(missing)}: code that runs on this "
            f"machine as you; if you trust it: {options}",
            missing,
            run,
        )


def hand_over(plugins: Iterable[Plugin]) -> None:
    """Lets the processes that this one starts load these plugins from where they lie."""
    told = [{"given": plugin.given, "name": plugin.name, "sha256": plugin.sha256, "root": str(plugin.root)}
            for plugin in plugins]  # fmt: skip
    os.environ[_VARIABLE] = json.dumps(told)


def load_handed_over() -> None:
    """Loads the plugins of the process that has started this one.

    Raises:
        EnvironmentProblem: a plugin is not the one any more that it was there.
    """
    for told in json.loads(os.environ.get(_VARIABLE, "[]")):
        found = find_plugin(told["name"], [told["root"]])
        if found.sha256 != told["sha256"]:
            raise EnvironmentProblem(
                f"the plugin {told['name']} in {told['root']} has changed since the command was started; start it anew"
            )
        load_plugin(Plugin(told["name"], told["given"], found.root, found.files))
