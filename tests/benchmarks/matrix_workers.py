"""Times a matrix's cells with one worker and with two: `make bench-matrix`. Exit 1 if two take over 0.6 of one's."""

import sys
import tempfile
import time
from pathlib import Path

from tests.conftest import run_cli
from tests.matrix.conftest import make_matrix
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.care import adopt

# Long enough that what is done once, starting TensorFlow, listing cells and writing results, does not decide: some ten
# seconds, in matrices of an hour and more.
_EPOCHS, _BAR = 320, 0.6


def main() -> None:
    """Prints the seconds and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        smoke = Path(folder, "smoke")
        finished = run_cli("run", "smoke", "--out", smoke, "--quiet")
        assert finished.returncode == 0, finished.stderr
        seconds = {jobs: _seconds(smoke, Path(folder, f"jobs-{jobs}"), jobs) for jobs in (1, 2)}
    ratio = seconds[2] / seconds[1]
    sys.stdout.write(f"one worker {seconds[1]:.0f} s, two {seconds[2]:.0f} s: {ratio:.2f} (at most {_BAR})\n")
    sys.exit(ratio > _BAR)


def _seconds(smoke: Path, path: Path, jobs: int) -> float:
    root = make_matrix(RunDirectory.open(smoke), path)
    text = (root.path / "config.toml").read_text()
    (root.path / "config.toml").write_text(text.replace("epochs = 2\n", f"epochs = {_EPOCHS}\n"))
    adopt(root.path)
    started = time.monotonic()
    finished = run_cli("bench", "matrix", "--resume", root.path, "--jobs", jobs, "--quiet")
    assert finished.returncode == 0, finished.stderr
    return time.monotonic() - started


if __name__ == "__main__":
    main()
