"""A board's file that is wrong is named with what is wrong in it, whatever it is."""

import tomllib
from importlib import resources
from pathlib import Path

import pytest
import tomli_w

from tinycerb.boards import board
from tinycerb.boards.board import board_names, load_board
from tinycerb.errors import EnvironmentProblem, UsageError

GOOD = tomllib.loads((resources.files("tinycerb.boards") / "qemu-m0.toml").read_text())
# Values that are of the wrong type for every key, or for all but one.
ODD = (-1.5, True, "words", [], [3], {"a": 1}, {"origin": "x", "bytes": []}, {"driver": 1, "base": "x", "baud": 9})


def test_every_board_that_comes_along_loads() -> None:
    assert {load_board(name).name for name in board_names()} == set(board_names())


def fits(key: str, value: object) -> bool:
    """Whether nothing about a value can be said to be wrong before something is compiled with it."""
    if isinstance(value, str) or value == []:
        return isinstance(value, type(GOOD[key]))
    return key == "qemu" and isinstance(value, dict)


@pytest.mark.parametrize("key", sorted(GOOD))
def test_a_wrong_value_is_refused_with_its_key(tmp_path: Path, key: str) -> None:
    for value in (value for value in ODD if not fits(key, value)):
        path = tmp_path / "own.toml"
        path.write_text(tomli_w.dumps({**GOOD, key: value}))
        with pytest.raises(UsageError, match="own"):
            load_board(str(path))


@pytest.mark.parametrize("content", [b"\xa9\x00", b"a = 'b", b"", b"a = " + b"[" * 5000])
def test_what_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"own\.toml"):
        load_board(str(path))


def test_a_file_that_cannot_be_read_is_of_the_environment(monkeypatch, tmp_path: Path) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "own.toml").touch()
    monkeypatch.setattr(board, "read_text", refuse)
    with pytest.raises(EnvironmentProblem, match=r"own\.toml: Permission denied"):
        load_board(str(tmp_path / "own.toml"))
