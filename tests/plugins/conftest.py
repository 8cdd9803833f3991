"""A place where a user's modules lie, and a process that forgets them again."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tinycerb.plugins import loaded_plugins, loading

HERE = Path(__file__).parent


def copy_example(folder: Path) -> Path:
    """Copies the plugin of this folder, and the configuration that names it; returns the plugin's file."""
    for name in ("my_parts.py", "my_parts.c", "matrix.toml"):
        shutil.copy(HERE / name, folder / name)
    return folder / "my_parts.py"


@pytest.fixture
def here(tmp_path: Path, monkeypatch) -> Iterator[Callable[[str, str], Path]]:
    """Makes the current directory one of the user's, and files in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TINYCERB_PLUGINS", "[]")

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    yield write
    for plugin in loaded_plugins():
        loading._unload(plugin)
    os.environ["TINYCERB_PLUGINS"] = "[]"
