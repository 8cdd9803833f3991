"""Files appear whole or not at all, on a full disk, too."""

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinycerb.atomic import read_json, write_arrays, write_bytes, write_json
from tinycerb.errors import EnvironmentProblem, ExitCode


def test_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file.bin"
    write_bytes(target, b"old")
    write_bytes(target, b"new")
    assert target.read_bytes() == b"new"
    assert list(target.parent.iterdir()) == [target]


def test_json_refuses_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", {"value": float("nan")})
    assert not (tmp_path / "x.json").exists()


@pytest.mark.parametrize("content", ["{", "[1]", ""])
def test_damaged_json_is_an_error_with_a_remedy(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(EnvironmentProblem, match=r"x\.json"):
        read_json(tmp_path / "x.json")


def test_a_file_size_limit_keeps_the_old_content(tmp_path: Path) -> None:
    target = tmp_path / "x.npz"
    write_arrays(target, {"a": np.zeros(10)})
    before = target.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(EnvironmentProblem, match="file size limit"):
            write_arrays(target, {"a": np.zeros(10**5)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_named_and_nothing_half_written_stays(tmp_path: Path) -> None:
    """On a real file system of 64 KiB, in a mount namespace of its own."""
    code = """
import pathlib, sys
from tinycerb.atomic import write_bytes
from tinycerb.errors import TinyCerbError
disk = pathlib.Path(sys.argv[1])
write_bytes(disk / "small", b"kept")
try:
    write_bytes(disk / "large", bytes(10**6))
except TinyCerbError as error:
    print(error, int(error.exit_code), sorted(p.name for p in disk.iterdir()), sep="|")
"""
    shell = 'mount -t tmpfs -o size=64k tmpfs "$1" && exec "$2" -c "$3" "$1"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", shell, "sh", tmp_path, sys.executable, code]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    message, exit_code, left = finished.stdout.strip().split("|")
    assert "the disk is full" in message
    assert int(exit_code) == ExitCode.ENVIRONMENT
    assert left == "['small']"
