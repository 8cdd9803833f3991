"""No code that a stranger's run names is run before its user has agreed to these very bytes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from tests.plugins.test_loading import ATTACK
from tinycerb.attacks import ATTACKS
from tinycerb.cli.plugins import with_plugins
from tinycerb.config.loading import load_config
from tinycerb.errors import UsageError
from tinycerb.plugins import NotLoaded, find_plugin, load_plugin, loaded_plugins, loading
from tinycerb.plugins.consent import allow, consent_file, is_allowed
from tinycerb.run.directory import RunDirectory
from tinycerb.run.plugin_files import keep_plugins, kept_plugins
from tinycerb.seal.care import compare
from tinycerb.seal.files import manifest_in

Write = Callable[[str, str], Path]


def forget() -> None:
    """As in the next process."""
    for plugin in loaded_plugins():
        loading._unload(plugin)


@pytest.fixture
def run(here: Write, tmp_path: Path) -> Path:
    """A run with a plugin that another user has made; the module itself is not here any more."""
    file = here("elsewhere/mine.py", ATTACK)
    load_plugin(find_plugin(str(file)))
    config = load_config("smoke", ["name=theirs"])
    assert config.plugins == (str(file),)
    RunDirectory.create(config, tmp_path / "run", force=False)
    forget()
    file.unlink()
    return tmp_path / "run"


def open_by_command(run: Path, **given: list[str]) -> list[str]:
    """Opens the run as commands do; returns the names of the plugins that were loaded for it."""
    opened: list[str] = []

    def command(path: Path) -> None:
        RunDirectory.open(path)
        opened.extend(plugin.name for plugin in loaded_plugins())

    with_plugins(command)(run, **given)
    return opened


def test_a_run_keeps_its_plugins_below_their_digest_and_under_seal(run: Path) -> None:
    (folder,) = (run / "plugins").iterdir()
    (kept,) = kept_plugins(run, "mine")
    assert folder.name == kept.sha256[:12]
    assert json.loads((run / "env.json").read_text())["plugins"] == {"mine": kept.sha256}
    manifest = manifest_in(run)
    assert manifest is not None
    assert list(compare(run, manifest)) == []
    assert f"plugins/{folder.name}/mine.py" in manifest.entries
    (folder / "mine.py").write_text("evil = 1\n")
    assert [each.file for each in compare(run, manifest)] == [f"plugins/{folder.name}/mine.py"]


def test_a_strangers_run_is_refused_with_the_option_that_opens_it(run: Path) -> None:
    (kept,) = kept_plugins(run, "mine")
    with pytest.raises(NotLoaded, match=r"names the plugin .*mine.py: code that runs on this machine as you"):
        RunDirectory.open(run)
    with pytest.raises(UsageError, match=f"{kept.path}, SHA-256 {kept.sha256[:12]}.* trust it: --plugin {kept.path}"):
        open_by_command(run)
    assert "mine" not in ATTACKS
    assert open_by_command(run, plugin=[str(kept.path)]) == ["mine"]
    assert is_allowed(kept)
    forget()
    # Agreed to once, the same bytes are not asked about again; others are.
    assert open_by_command(run) == ["mine"]
    forget()
    kept.path.write_text(ATTACK + "evil = 1\n")
    with pytest.raises(UsageError, match="you have not agreed to it yet"):
        open_by_command(run)


@pytest.mark.parametrize("yes", [True, False])
def test_on_a_terminal_it_is_asked(yes: bool, run: Path, monkeypatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "confirm", lambda text, err: asked.append(text) or yes)
    if yes:
        assert open_by_command(run) == ["mine"]
    else:
        with pytest.raises(UsageError, match="was not run"):
            open_by_command(run)
    assert asked == ["Run it?"]
    assert ("mine" in ATTACKS) is yes
    assert consent_file().is_file() is yes


def test_a_configuration_of_the_users_own_is_agreed_to_and_that_of_a_run_is_not(run: Path, here: Write) -> None:
    here("sub/mine.py", ATTACK)
    own = here("sub/own.toml", 'extends = "smoke"\nplugins = ["mine.py"]\n')
    with pytest.raises(NotLoaded) as caught:
        load_config(str(own))
    assert (caught.value.run, caught.value.plugins) == (None, [str(own.with_name("mine.py"))])
    found: list[str] = []
    with_plugins(lambda path: found.extend(load_config(path).plugins))(str(own))
    assert found == [str(own.with_name("mine.py"))]
    forget()
    consent_file().unlink()
    with pytest.raises(UsageError, match="you have not agreed to it yet"):
        with_plugins(lambda path: found.append(load_config(path).name))(str(run / "config.toml"))


def test_a_changed_plugin_is_named_once_and_kept_beside_the_old_one(run: Path, here: Write) -> None:
    (kept,) = kept_plugins(run, "mine")
    changed = find_plugin(str(here("elsewhere/mine.py", ATTACK + "changed = 1\n")))
    load_plugin(changed)
    (said,) = keep_plugins(RunDirectory.open(run))
    assert said.startswith("the plugin mine has changed since the run was started (SHA-256 ")
    assert f"{changed.sha256[:12]}..., then {kept.sha256[:12]}..." in said
    assert said.endswith(f"as it was: {run / 'plugins' / kept.sha256[:12]}")
    assert keep_plugins(RunDirectory.open(run)) == []
    assert [each.sha256 for each in kept_plugins(run, "mine")] == [kept.sha256, changed.sha256]


def test_where_nothing_can_be_noted_the_user_is_asked_again(here: Write, monkeypatch) -> None:
    plugin = find_plugin(str(here("mine.py", ATTACK)))
    here("state/tinycerb", "a file where a folder should be")
    allow(plugin)
    assert not is_allowed(plugin)
    monkeypatch.setenv("XDG_STATE_HOME", str(here("else/tinycerb/plugins.json", "[1]").parents[1]))
    assert not is_allowed(plugin)
    allow(plugin)
    assert is_allowed(plugin)
