"""Hundreds of calls that make no sense: each ends with a message and the exit code of whoever made the mistake."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_argument_brings_a_traceback_or_the_exit_code_of_a_gate(smoke_run, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.cli.odd_arguments", str(smoke_run.path)],
        capture_output=True, text=True, check=False, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["count"] > 130
