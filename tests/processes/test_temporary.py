"""What is temporary is gone when its process is, and nothing else is touched."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import tensorflow as tf

from tinycerb.converters.own_folder import PREFIX, own_folder, sweep
from tinycerb.processes.temporary import process_folder

HOLD = """
import sys, time
from pathlib import Path
from tinycerb.converters.own_folder import own_folder
with own_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("x")
    print(folder, flush=True)
    time.sleep(100)
"""


@pytest.mark.parametrize("error", [None, KeyboardInterrupt])
def test_a_folder_is_this_user_s_alone_and_gone_at_the_end(tmp_path: Path, error: type[BaseException] | None) -> None:
    try:
        with own_folder(tmp_path) as folder:
            assert folder.stat().st_mode & 0o777 == 0o700
            (folder / "deep").mkdir()
            (folder / "deep" / "file").write_text("x")
            if error:
                raise error
    except KeyboardInterrupt:
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_leaves_is_swept_and_what_a_live_one_has_is_not(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        sweep(tmp_path)
        assert (folder / "half").exists()
        process.kill()
        process.wait()
    assert (folder / "half").exists()
    with own_folder(tmp_path) as mine:
        assert list(tmp_path.iterdir()) == [mine]


def test_what_is_not_tinycerb_s_stays(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    others = [precious, *(tmp_path / name for name in (f"{PREFIX}of-mine", "tinycerb-abcdefgh", f"x{PREFIX}abcdefgh"))]
    for folder in others:
        folder.mkdir()
        (folder / "file").write_text("x")
    (tmp_path / f"{PREFIX}abcdefgh").symlink_to(precious)
    (tmp_path / f"{PREFIX}abcdefg_").write_text("a file")
    (tmp_path / f"{PREFIX}abcdefg1").mkdir()
    before = {path.name for path in tmp_path.iterdir()}
    sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == before
    assert (precious / "file").exists()
    # About to be locked a minute ago is not about to be locked.
    old = time.time() - 61
    os.utime(tmp_path / f"{PREFIX}abcdefg1", (old, old))
    sweep(tmp_path)
    assert before - {path.name for path in tmp_path.iterdir()} == {f"{PREFIX}abcdefg1"}


def branching(x):
    if x > 0:
        return x
    return -x


def test_libraries_and_children_leave_their_litter_in_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    ask = [sys.executable, "-c", "import tempfile; print(tempfile.gettempdir())"]
    with process_folder() as folder:
        assert folder.parent == tmp_path
        # TensorFlow writes the code that it makes of a function to a file of its own.
        assert tf.function(branching)(tf.constant(-1)).numpy() == 1
        assert list(folder.glob("__autograph_generated_file*.py"))
        assert subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip() == str(folder)
    assert list(tmp_path.iterdir()) == []
    assert (tempfile.gettempdir(), os.environ["TMPDIR"]) == (str(tmp_path), str(tmp_path))
