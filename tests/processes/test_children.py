"""Children end with their parent, even where it is killed without a word."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tinycerb.converters.child_process import die_with_parent

# Starts a child of its own kind, which starts `sleep`; says who they are.
CHAIN = """
import os, subprocess, sys
from tinycerb.converters.child_process import die_with_parent
depth = int(sys.argv[1])
command = [sys.executable, "-c", sys.argv[2], str(depth - 1), sys.argv[2]] if depth else ["sleep", "100"]
child = subprocess.Popen(die_with_parent(command))
print(child.pid, flush=True)
child.wait()
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_children_and_theirs_are_gone_when_their_parent_is_killed() -> None:
    command = [sys.executable, "-c", CHAIN, "1", CHAIN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(parent.stdout.readline()) for _ in range(2)]
        assert all(is_alive(pid) for pid in pids)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        until = time.monotonic() + 10
        while any(is_alive(pid) for pid in pids):
            assert time.monotonic() < until
            time.sleep(0.01)


def test_a_child_whose_parent_is_gone_before_it_begins_does_nothing(tmp_path: Path) -> None:
    command = die_with_parent(["touch", tmp_path / "begun"])
    gone = subprocess.run([*command[:5], "1", *command[6:]], check=False)
    assert (gone.returncode, list(tmp_path.iterdir())) == (1, [])
    assert subprocess.run(command, check=True).returncode == 0
    assert (tmp_path / "begun").exists()


def test_a_child_is_as_subprocess_would_start_it(tmp_path: Path) -> None:
    ask = ["sh", "-c", 'grep Sig /proc/self/status; pwd; echo "$WORD"; cat; echo "$0" "$1"; exit 7', "a b", "c'd"]
    options = {"cwd": tmp_path, "env": {**os.environ, "WORD": "word"}, "input": "said", "text": True}
    plain, tied = (
        subprocess.run(command, capture_output=True, check=False, **options) for command in (ask, die_with_parent(ask))
    )
    assert (tied.stdout, tied.stderr, tied.returncode) == (plain.stdout, plain.stderr, 7)
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        die_with_parent(["no-such-program"])
