"""What people type in the wrong place is answered with the right words."""

from pathlib import Path

import pytest

from tests.conftest import Cli
from tinycerb.config.user_sources import Sources
from tinycerb.errors import UsageError
from tinycerb.workflow.given_names import check_preset, check_sources

NET = "import nothing_that_is_here\ndef _own(): ...\ndef layers(width): ...\ndef net(depth=3): ...\n"


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "mine.py").write_text("def build(): ...\n")
    (tmp_path / "broken.py").write_text("def build(:\n")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.toml").touch()
    for name in ("demo", "images", "saved"):
        (tmp_path / name).mkdir()
    (tmp_path / "saved" / "saved_model.pb").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("my_model.h5", "my_model.h5 is a model, not a preset; give it by its option: --model my_model.h5 --data DATA"),
        ("net.keras", "--model net.keras --data DATA"),
        ("net:build", "--model net:build --data DATA"),
        ("saved", "--model saved --data DATA"),
        ("net.py", "--model net:net --data DATA"),
        ("broken.py", "--model broken:build --data DATA"),
        ("u8.npz", "--data u8.npz"),
        ("images", "--data images"),
        ("run", "--resume run"),
        ("model.tflite", "tinycerb flash model.tflite"),
    ],
)
def test_a_preset_that_is_something_else(text: str, words: str) -> None:
    with pytest.raises(UsageError) as told:
        check_preset(text)
    assert words in str(told.value)


def test_a_preset_is_one_also_beside_a_folder_of_its_name() -> None:
    check_preset("demo")
    check_preset("unknown")
    for name in ("own", "compression"):
        Path(name).mkdir()
        check_preset(name)


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        (Sources(model="net.py"), "--model net:net"),
        (Sources(model="sub/mine.py"), "--model sub.mine:build"),
        (Sources(model="net.build"), "--model net:build"),
        (Sources(model="sub.mine.build"), "--model sub.mine:build"),
        (Sources(data="nowhere.py"), "--data nowhere:build"),
        (Sources(query_pool="net.pool"), "--query-pool net:pool"),
    ],
    ids=str,
)
def test_a_function_is_named_with_its_module(sources: Sources, words: str) -> None:
    with pytest.raises(UsageError, match=rf"{words}$"):
        check_sources(sources)


def test_a_name_that_cannot_be_written_down_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--data 'a\\udcff.npz' is no text in UTF-8"):
        check_sources(Sources(data="a\udcff.npz"))


def test_what_is_right_passes(folder: Path) -> None:
    (folder / "net.h5").touch()
    check_sources(Sources("net:build", "images", "in_distribution"))
    check_sources(Sources("net.h5", "missing.npz", "drawn-strokes"))


def test_the_commands_ask(cli: Cli, folder: Path) -> None:
    for command in (["run"], ["train"], ["prune"], ["bench", "matrix", "--dry-run"]):
        done = cli(*command, "my_model.h5", cwd=folder)
        assert (done.returncode, "--model my_model.h5" in done.stderr) == (2, True), done.stderr
    done = cli("run", "--model", "net.build", "--data", "images", cwd=folder)
    assert (done.returncode, "--model net:build" in done.stderr) == (2, True), done.stderr
