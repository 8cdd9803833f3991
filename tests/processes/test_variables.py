"""Importing TinyCerb changes nothing; its own processes have what their results depend on."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_layout import PRODUCT, tree_of
from tinycerb.processes.variables import child_variables
from tinycerb.subprocess_call import call_in_subprocess

ROOT = Path(__file__).parents[2]
OURS = ("TF_USE_LEGACY_KERAS", "CUDA_VISIBLE_DEVICES", "TF_CPP_MIN_LOG_LEVEL")
IMPORT = """
import json, os, sys
before = dict(os.environ)
import tinycerb
heavy = {"tensorflow", "tf_keras", "keras", "tflite_runtime", "ai_edge_litert", "matplotlib"}
print(json.dumps([dict(os.environ) == before, sorted(heavy & set(sys.modules))]))
"""


def without_ours(**more: str) -> dict[str, str]:
    return {**{key: value for key, value in os.environ.items() if key not in OURS}, "PYTHONPATH": str(ROOT), **more}


def test_an_import_sets_no_variable_and_loads_nothing_heavy(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True, cwd=tmp_path, env=without_ours()
    )
    assert json.loads(done.stdout) == [True, []]


def test_children_have_the_variables_whatever_their_parent_has(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
    assert {name: child_variables()[name] for name in OURS} == dict(zip(OURS, ("1", "-1", "2"), strict=True))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    found = child_variables(WORD="word")
    assert (found["CUDA_VISIBLE_DEVICES"], found["TF_CPP_MIN_LOG_LEVEL"], found["WORD"]) == ("-1", "0", "word")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"


def test_a_child_sees_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "see.py").write_text(
        "import os\nfrom tinycerb.subprocess_call import answer\nanswer(lambda: os.environ['CUDA_VISIBLE_DEVICES'])\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    assert call_in_subprocess("see") == "-1"


def test_a_command_has_them_before_it_loads_tensorflow(tmp_path: Path) -> None:
    code = "import os, runpy, sys; sys.argv[1:] = ['--version']\ntry: runpy.run_module('tinycerb', run_name='__main__')"
    code += (
        "\nexcept SystemExit: print(*(os.environ[name] for name in ('TF_USE_LEGACY_KERAS', 'CUDA_VISIBLE_DEVICES')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, env=without_ours()
    )
    assert done.stdout.splitlines()[-1] == "1 -1"


def test_every_module_that_is_started_gets_them() -> None:
    """Whatever starts `python -m tinycerb...` to compute; boards' tools compute nothing of ours."""
    starting = []
    for path in PRODUCT:
        source = path.read_text()
        starts = any(
            isinstance(node, ast.Constant) and node.value == "-m" and "sys.executable" in source
            for node in ast.walk(tree_of(path))
        )
        if starts and "boards" not in path.parts and "subprocess." in source:
            assert "env=child_variables(" in source, path
            starting.append(path.stem)
    assert set(starting) >= {"client", "isolated", "layer_noise", "pool", "scheduler", "subprocess_call"}
