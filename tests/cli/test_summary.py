"""`tinycerb summary` on files of any origin."""

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tinycerb.converters.model_file import read_model_file
from tinycerb.converters.summary import summarise
from tinycerb.reports.file_summary import render_summary

GOLDEN = Path(__file__).parent / "golden"
TINY = Path(__file__).parents[2] / "tinycerb/doctor/tiny.tflite"
# A float model that TinyCerb has nothing to do with: it lies in the package of tflite-micro.
SINE = resources.files("tflite_micro") / "python/tflite_micro/sine_float.tflite"


@pytest.mark.parametrize("name", ["tiny", "sine_float"])
def test_the_table_is_the_golden_one(cli, name: str) -> None:
    path = {"tiny": TINY, "sine_float": SINE}[name]
    finished = cli("summary", path)
    assert finished.returncode == 0, finished.stderr
    expected = (GOLDEN / f"{name}.txt").read_text()
    assert finished.stdout.replace(str(path), path.name) == expected


def test_a_tinycerb_file_shows_its_card(cli, smoke_run) -> None:
    finished = cli("summary", smoke_run.model("cerberos"))
    assert finished.returncode == 0, finished.stderr
    assert "3 heads x 10 classes" in finished.stdout
    assert "head_layout: " in finished.stdout
    assert "tflite-micro: knows all operators" in finished.stdout
    assert "stem              CONV_2D            3  1x28x28x1" in finished.stdout


def test_json_is_one_object_with_the_same_totals(cli, smoke_run) -> None:
    facts = json.loads(cli("summary", smoke_run.model("undefended"), "--json").stdout)
    side = json.loads((smoke_run.victim("undefended") / "model.json").read_text())
    assert facts["sha256"] == side["sha256"]
    assert facts["totals"]["multiply_accumulates"] == sum(row["multiply_accumulates"] for row in side["operators"])
    assert facts["arena"]["nonpersistent_bytes"] == side["arena"]["nonpersistent_bytes"]
    assert facts["card"]["heads"] == 1
    assert facts["missing_operators"] == {"tflite-micro": [], "tinycerb-c": []}
    assert facts["beyond_targets"]["tflite-runtime-2-14"] == []


def test_what_a_runtime_lacks_is_named() -> None:
    model = read_model_file(TINY)
    changed = replace(model, operators=(replace(model.operators[0], name="STABLEHLO_GATHER"),))
    facts: Any = summarise(changed)
    assert facts["missing_operators"] == {"tflite-micro": ["STABLEHLO_GATHER"], "tinycerb-c": ["STABLEHLO_GATHER"]}
    assert "STABLEHLO_GATHER" in facts["beyond_targets"]["tflite-runtime-2-14"][0]
    assert "tflite-micro: lacks STABLEHLO_GATHER" in render_summary("changed", facts)


def test_no_tensorflow_and_no_runtime_are_loaded(run_child) -> None:
    code = """
import sys
from tinycerb.cli import app
try:
    app(["summary", sys.argv[1]], standalone_mode=False)
finally:
    assert not {"tensorflow", "tflite_runtime", "tflite_micro", "ai_edge_litert"} & set(sys.modules)
"""
    assert "FULLY_CONNECTED" in run_child(code, TINY)


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [(None, 3, "there is no "), (b"", 2, "no .tflite file"), (b"\x10\0\0\0TFL3" + b"\xff" * 40, 2, "damaged")],
    ids=["missing", "empty", "damaged"],
)
def test_bad_files_are_named(cli, tmp_path, content, code: int, message: str) -> None:
    if content is not None:
        (tmp_path / "bad.tflite").write_bytes(content)
    finished = cli("summary", tmp_path / "bad.tflite")
    assert finished.returncode == code
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr


def test_control_sequences_of_a_file_do_not_reach_the_terminal(cli, tmp_path) -> None:
    content = TINY.read_bytes()
    assert content.count(b"Identity") >= 1
    (tmp_path / "evil.tflite").write_bytes(content.replace(b"Identity", b"\x1b[31mEvi"))
    finished = cli("summary", tmp_path / "evil.tflite")
    assert finished.returncode == 0, finished.stderr
    assert "\x1b" not in finished.stdout
    assert "?[31mEvi" in finished.stdout
