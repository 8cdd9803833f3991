"""Python's -O takes assert statements away: everything works without them, and nothing is decided by one."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from tests.conftest import run_cli
from tinycerb.atomic import read_json
from tinycerb.oracle import OracleSpec
from tinycerb.run.directory import RunDirectory

OPTIMISED = {**os.environ, "PYTHONOPTIMIZE": "1"}


def without_times(metrics: dict) -> dict:
    """All figures of a run but those that a clock gives."""
    victims = {
        name: {key: value for key, value in victim.items() if key != "latency"}
        for name, victim in metrics["victims"].items()
    }
    return {**metrics, "victims": victims}


def test_a_run_is_the_same_without_asserts(smoke_run, tmp_path) -> None:
    """One victim from random weights to its cells, doses among them: every kind of task once."""
    run = RunDirectory.open(Path(shutil.copytree(smoke_run.path, tmp_path / "run")))
    for folder in (run.victim("undefended"), run.dense("undefended"), run.path / "answers"):
        shutil.rmtree(folder)
    cells = [path for path in (run.path / "cells").iterdir() if "undefended" in read_json(path)["spec"]["victim"]]
    assert len(cells) == 1 + len(run.config.bench.doses)
    for path in (*cells, run.latency, run.metrics):
        path.unlink()
    finished = run_cli("run", "--resume", run.path, "--quiet", env=OPTIMISED)
    assert finished.returncode == 0, finished.stderr
    assert run.model("undefended").read_bytes() == smoke_run.model("undefended").read_bytes()
    assert all(cell.read_bytes() == (smoke_run.path / "cells" / cell.name).read_bytes() for cell in cells)
    assert without_times(read_json(run.metrics)) == without_times(read_json(smoke_run.metrics))


def test_an_oracle_that_sees_tensorflow_answers_nothing_with_or_without_asserts(smoke_run) -> None:
    code = "import sys, types; sys.modules['tensorflow'] = types.ModuleType('tensorflow'); "
    code += "from tinycerb.oracle.server import main; main()"
    spec = OracleSpec(str(smoke_run.model("undefended")), "probs", "fixed", 1)
    for option in ([], ["-O"]):
        command = [sys.executable, *option, "-c", code, json.dumps(asdict(spec))]
        child = subprocess.run(command, input=b"", capture_output=True, check=False)
        assert child.returncode == 3, child.stderr
        assert child.stdout == b""
        assert b"TensorFlow was loaded into the oracle" in child.stderr
