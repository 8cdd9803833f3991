"""The owner key: its file, its hash, what is derived from it, and what is told of it."""

import stat
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Cli
from tinycerb.boards.secret import make_secret, read_secret
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.ownership.owner_key import OwnerKey, new_owner_key, read_owner_key, write_owner_key


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Path, OwnerKey]:
    file, key = tmp_path / "owner.key", new_owner_key()
    write_owner_key(file, key)
    return file, key


def test_a_key_is_made_once_and_told_to_nobody(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "owner.key"
    made = cli("ownership", "new", file)
    assert made.returncode == 0, made.stderr
    key = read_owner_key(file)
    assert made.stdout == f"{key.hash}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == f"tinycerb-owner-key-1:{key.content.hex()}\n"
    again, shown = cli("ownership", "new", file), cli("ownership", "show", file)
    assert (again.returncode, "replace it with --force" in again.stderr) == (2, True)
    assert (shown.returncode, shown.stdout) == (0, f"{key.hash}\n")
    assert read_owner_key(file) == key
    for done in (made, again, shown):
        assert key.content.hex() not in done.stdout + done.stderr
    assert key.content.hex() not in repr(key)


def test_force_makes_another_one(kept) -> None:
    file, key = kept
    with pytest.raises(UsageError, match="replace it with --force"):
        write_owner_key(file, new_owner_key())
    write_owner_key(file, new_owner_key(), replace=True)
    assert read_owner_key(file).hash != key.hash
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_git_never_gets_to_see_it(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    with pytest.raises(UsageError, match="one `git add` would publish the secret"):
        write_owner_key(tmp_path / "owner.key", new_owner_key())
    assert [path.name for path in tmp_path.iterdir()] == [".git"]
    (tmp_path / ".gitignore").write_text("*.key\n")
    write_owner_key(tmp_path / "owner.key", new_owner_key())


def test_a_folder_that_ignores_everything_needs_no_git(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="one `git add` would publish the secret"):
        write_owner_key(tmp_path / "owner.key", new_owner_key())
    (tmp_path / ".gitignore").write_text("*\n")
    write_owner_key(tmp_path / "owner.key", new_owner_key())


def test_one_kind_of_secret_is_not_taken_for_the_other(tmp_path: Path, kept) -> None:
    owner, device = kept[0], tmp_path / "device.key"
    make_secret(device)
    with pytest.raises(
        UsageError, match=r"is a device's secret \(tinycerb keygen\), no owner key; make one with: tinycer"
    ):
        read_owner_key(device)
    with pytest.raises(
        UsageError, match=r"is an owner key \(tinycerb ownership new\), no device's secret; make one with"
    ):
        read_secret(owner)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hunter2", "holds no owner key; make one with: tinycerb ownership new FILE"),
        (b"", "holds no owner key"),
        (b"\xff\xfe\x00", "holds no owner key"),
        (b"tinycerb-owner-key-1:hunter2", "is damaged: expected 64 hexadecimal digits"),
        (b"tinycerb-owner-key-1:" + b"A" * 64, "is damaged"),
    ],
)
def test_what_is_no_key_is_said_without_telling_what(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "owner.key"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=message) as refused:
        read_owner_key(file)
    assert "hunter2" not in str(refused.value)
    with pytest.raises(UsageError, match=r"cannot read the owner key .*: No such file"):
        read_owner_key(tmp_path / "nowhere.key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_that_others_can_read_is_refused(kept, mode: int) -> None:
    file, _ = kept
    file.chmod(mode)
    with pytest.raises(
        EnvironmentProblem, match=f"others can read the owner key {file}; mend it with: chmod 600 {file}"
    ):
        read_owner_key(file)


def test_hash_and_words_are_fixed_and_tell_nothing_of_one_another() -> None:
    """Whoever holds a key must get the same teachers for ever."""
    key = OwnerKey(bytes(range(32)))
    assert key.hash == "d88213fdbfaae12966be2de39eeb2e26832edd3027f8c9774cc1231f22d2a741"
    assert key.words("teachers") == (
        3374916230,
        3262500778,
        2753076382,
        78304918,
        1188827961,
        3056430368,
        2210164634,
        3137990177,
    )
    assert not set(key.words("teachers")) & set(key.words("response"))
    assert not set(key.words("teachers")) & set(OwnerKey(bytes(32)).words("teachers"))
    told = key.hash + b"".join(word.to_bytes(4, "little") for word in key.words("teachers")).hex()
    assert key.content.hex() not in told
    assert all(key.content[at : at + 4].hex() not in told for at in range(0, 32, 4))
