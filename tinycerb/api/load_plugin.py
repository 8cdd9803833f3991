"""`tinycerb.load_plugin`."""

from dataclasses import dataclass
from os import fspath
from pathlib import Path

from tinycerb.api.calls import Source
from tinycerb.plugins import consent, find_plugin, loading


@dataclass(frozen=True)
class LoadedPlugin:
    """A module of the user's own whose parts are registered.

    Attributes:
        name: the module's.
        path: its file, or its package's.
        sha256: of what was read, which is what runs.
    """

    name: str
    path: Path
    sha256: str

    def to_json(self) -> dict[str, object]:
        """Returns what JSON can say of it."""
        return {"name": self.name, "path": fspath(self.path), "sha256": self.sha256}


def load_plugin(module: Source) -> LoadedPlugin:
    """Loads a module that registers parts, as `--plugin` does; child processes of this one load the same bytes.

    Args:
        module: the name of a module that can be imported, or the path of a .py file.

    Returns:
        What was loaded.

    Raises:
        UsageError: there is none, it cannot be imported, registers nothing, or takes a name that is taken.
    """
    plugin = find_plugin(fspath(module))
    loading.load_plugin(plugin)
    # Who names it here has agreed to run it, as on a command line.
    consent.allow(plugin)
    return LoadedPlugin(plugin.name, plugin.path, plugin.sha256)
