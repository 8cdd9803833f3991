"""Files that are on no disk: lent, and gone afterwards."""

import os
import resource
import subprocess
from pathlib import Path

import pytest

from tinycerb.boards import lent_file
from tinycerb.boards.lent_file import memory_file, named_file
from tinycerb.boards.secret import make_secret

CONTENT = bytes(range(100)) * 5000


def test_a_memory_file_is_read_through_its_link_by_children_and_theirs(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_CORE)
    with memory_file(CONTENT, tmp_path / "image.elf") as path:
        assert (path.name, path.is_symlink(), path.exists()) == ("image.elf", True, True)
        read = subprocess.run(["sh", "-c", f"(cat {path}); ulimit -c"], capture_output=True, check=True).stdout
        assert read == CONTENT + b"0\n"
    assert list(tmp_path.iterdir()) == []
    resource.setrlimit(resource.RLIMIT_CORE, limits)


def test_a_named_file_is_what_its_name_says_and_this_user_s_alone() -> None:
    with named_file(CONTENT, "image.elf") as path:
        assert path.resolve() == path
        assert path.is_relative_to("/dev/shm")
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        assert path.read_bytes() == CONTENT
    assert not path.parent.exists()


def test_systems_without_memory_files_get_a_named_one_and_without_tmpfs_a_private_one(tmp_path, monkeypatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    monkeypatch.setattr(lent_file, "TMPFS", tmp_path / "no-such-place")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with memory_file(CONTENT, tmp_path / "link.elf") as path:
        assert path.is_relative_to(tmp_path)
        assert (path.is_symlink(), path.read_bytes(), path.stat().st_mode & 0o777) == (False, CONTENT, 0o600)
    assert list(tmp_path.iterdir()) == []


def test_a_secret_whose_making_is_interrupted_leaves_no_half(tmp_path, monkeypatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_secret(tmp_path / "device.key")
    assert list(tmp_path.iterdir()) == []
