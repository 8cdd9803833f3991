"""The plugins that have worked on a run: their files, kept below their digests, so that it can be made again."""

from collections.abc import Mapping
from pathlib import Path

from tinycerb import file_names as names
from tinycerb.errors import TinyCerbError
from tinycerb.plugins import Plugin, find_plugin, hand_over, loaded_plugins
from tinycerb.run.directory import RunDirectory, plugin_folder, plugins_of
from tinycerb.seal.files import is_made, read_json, write_bytes

_DIGITS = 12


def keep_plugins(run: RunDirectory) -> list[str]:
    """Keeps the plugins of a run in it, and lets child processes load them from there.

    Returns:
        A sentence for each that is another one than when the run was started, the first time that it is.
    """
    started = _started_with(run)
    said, kept = [], []
    for plugin in plugins_of(run.config):
        folder = plugin_folder(run.path, plugin)
        is_new = not folder.is_dir()
        for name, content in plugin.files.items():
            if not is_made(folder / name):
                write_bytes(folder / name, content)
        then = started.get(plugin.name, plugin.sha256)
        if is_new and then != plugin.sha256:
            said.append(
                f"the plugin {plugin.name} has changed since the run was started (SHA-256 "
                f"{plugin.sha256[:_DIGITS]}..., then {then[:_DIGITS]}...): what changed code decides is made again; "
                f"as it was: {folder.with_name(then[:_DIGITS])}"
            )
        kept.append(Plugin(plugin.name, plugin.given, folder.absolute(), plugin.files))
    others = [plugin for plugin in loaded_plugins() if plugin.name not in {each.name for each in kept}]
    if kept:
        hand_over([*kept, *others])
    return said


def kept_plugins(run: Path, name: str) -> list[Plugin]:
    """Returns a plugin in all versions that a run keeps, the one of the last time first written last."""
    folders = sorted((run / names.PLUGINS).glob("*"), key=lambda folder: folder.stat().st_mtime)
    found = []
    for folder in folders:
        try:
            plugin = find_plugin(name, [str(folder.absolute())])
        except TinyCerbError:
            continue
        given = str(plugin.path) if plugin.path.suffix == ".py" else name
        found.append(Plugin(name, given, plugin.root, plugin.files))
    return found


def _started_with(run: RunDirectory) -> Mapping[str, str]:
    environment = run.path / names.ENVIRONMENT
    return read_json(environment).get("plugins", {}) if environment.is_file() else {}
