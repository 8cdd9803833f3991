"""Agreement of heads off the task, and the layer that quantization hurts."""

import json
import shutil
from pathlib import Path

import pytest

from tinycerb.run.directory import RunDirectory

NOISE = """
import json, sys
import numpy as np
from pathlib import Path
from tinycerb.bench.layer_noise import measure_quantization
from tinycerb.datasets import load_dataset
from tinycerb.run.directory import RunDirectory
from tinycerb.runtimes.interpreter_model import open_interpreter
from tinycerb.runtimes.model_artifact import open_artifact
run = RunDirectory.open(Path(sys.argv[1]))
images = load_dataset(run.config.data).test.images
model = open_interpreter(open_artifact(run.model("undefended")))
found = measure_quantization(run, "undefended", model, 0.5, float(sys.argv[2]), images)
print(json.dumps(found))
"""
COHERENCE = """
import numpy as np
from tinycerb.bench.coherence import pairwise_coherence
same = np.tile(np.array([[200, 56, 0]], np.uint8), (5, 3, 1))
apart = np.tile(np.eye(3, dtype=np.uint8) * 255, (5, 1, 1))
half = np.array([[[255, 0, 0], [255, 0, 0], [0, 255, 0]]], np.uint8)
for codes in (same, apart, half):
    found = pairwise_coherence(codes)
    print(found["cosine"], found["label_agreement"])
"""


def test_coherence_of_equal_and_of_opposite_heads(run_child) -> None:
    rows = [tuple(map(float, line.split())) for line in run_child(COHERENCE).splitlines()]
    assert rows[0] == pytest.approx((1.0, 1.0))
    assert rows[1] == pytest.approx((0.0, 0.0))
    assert rows[2] == pytest.approx((1 / 3, 1 / 3))


def test_a_run_measures_it_for_several_heads_only(smoke_run) -> None:
    victims = json.loads(smoke_run.metrics.read_text())["victims"]
    assert victims["undefended"]["coherence"] is None
    assert 0 <= victims["cerberos"]["coherence"]["cosine"] <= 1
    assert victims["cerberos"]["coherence"]["images"] == 1000


def test_little_lost_no_table(smoke_run, run_child) -> None:
    found = json.loads(run_child(NOISE, smoke_run.path, 0.505))
    assert found["accuracy_lost_points"] == pytest.approx(0.5)
    assert found["layers"] is None


def test_a_coarse_layer_is_named(smoke_run, run_child, tmp_path) -> None:
    """The weights of one layer are rounded to a handful of values in the file."""
    path = Path(shutil.copytree(smoke_run.path, tmp_path / "run"))
    code = """
import sys
import numpy as np
from pathlib import Path
from tinycerb.converters.flatbuffer_writer import pack_model, unpack_model
from tinycerb.seal.files import write_bytes
path = Path(sys.argv[1])
_, model = unpack_model(path.read_bytes())
graph = model.subgraphs[0]
for operator in graph.operators:
    if graph.tensors[operator.outputs[0]].name == b"block3_pointwise":
        buffer = model.buffers[graph.tensors[operator.inputs[1]].buffer]
        weights = np.asarray(buffer.data, np.uint8).view(np.int8).astype(int)
        buffer.data = np.clip(np.rint(weights / 100) * 100, -128, 127).astype(np.int8).view(np.uint8)
write_bytes(path, pack_model(model))
"""
    run_child(code, RunDirectory.open(path).model("undefended"))
    sound = json.loads(run_child(NOISE, smoke_run.path, 0.9))
    harmed = json.loads(run_child(NOISE, path, 0.9))
    assert harmed["worst_layer"] == "block3_pointwise"
    before, after = ({row["layer"]: row["signal_to_noise_db"] for row in found["layers"]} for found in (sound, harmed))
    assert after["block3_pointwise"] < before["block3_pointwise"] - 8
    assert after["block2_pointwise"] == before["block2_pointwise"]
    assert min(before.values()) > 5


def test_signal_to_noise(run_child) -> None:
    code = """
import numpy as np
from tinycerb.bench.layer_noise import signal_to_noise_db
signal = np.array([3.0, 4.0])
print(signal_to_noise_db(signal, signal + [0.5, 0.0]), signal_to_noise_db(signal, signal))
"""
    tenth, none = map(float, run_child(code).split())
    assert tenth == pytest.approx(20.0)
    assert none == pytest.approx(200.0)
