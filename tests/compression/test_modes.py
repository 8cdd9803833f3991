"""One small run with everything that is not the default: TF-MOT's own pruning, hidden layers, post-training int8."""

import json

import numpy as np
import pytest

from tinycerb.datasets import load_dataset
from tinycerb.file_names import HISTORY, TEACHER
from tinycerb.run.directory import RunDirectory

VICTIMS = (
    "[{name='plain'}, {name='sparse', channel_ratio=0.5, pruning='unstructured'}, "
    "{name='pattern', channel_ratio=0.5, pruning='two_of_four'}, "
    "{name='heads', channel_ratio=0.5, defense='cerberos'}]"
)


@pytest.fixture(scope="module")
def run(cli, tmp_path_factory) -> RunDirectory:
    """A run of four victims, quantized after training on 40 images, a quarter of them procedural."""
    path = tmp_path_factory.mktemp("modes") / "run"
    settings = {
        "victims": VICTIMS,
        "attacks": "[]",
        "bench.baseline": "plain",
        "model.head_units": 12,
        "data.train_images": 300,
        "data.test_images": 100,
        "pruning.criterion": "taylor",
        "quantization.method": "post",
        "quantization.calibration_images": 40,
        "quantization.out_of_distribution_share": 0.25,
        "bench.latency_rounds": 1,
        "distillation.backbone": "lenet5",
        "distillation.width": 0.5,
        "distillation.epochs": 1,
    }
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    finished = cli("run", "smoke", *options, "--out", path, "--quiet")
    assert finished.returncode == 0, finished.stderr
    return RunDirectory.open(path)


@pytest.fixture(scope="module")
def victims(run) -> dict:
    return json.loads(run.metrics.read_text())["victims"]


def test_victims_that_differ_in_pruning_alone_share_their_dense_training(run) -> None:
    assert {path.name for path in (run.path / "dense").iterdir()} == {"plain", "heads"}
    dense = [(run.victim(name) / "history.csv").read_text().splitlines()[1] for name in ("plain", "sparse", "pattern")]
    assert len(set(dense)) == 1


def test_all_victims_learn_from_one_teacher_which_is_under_seal(run, cli) -> None:
    assert (run.path / "teacher" / TEACHER).is_file()
    history = (run.path / "teacher" / HISTORY).read_text().splitlines()
    assert [row.split(",")[0] for row in history[1:]] == ["teacher"]
    assert sorted(run.path.rglob(TEACHER)) == [run.path / "teacher" / TEACHER]
    sealed = (run.path / "manifest.jsonl").read_text()
    assert f'"teacher/{TEACHER}"' in sealed
    assert cli("check", run.path).returncode == 0


def test_tf_mot_zeroes_half_of_the_weights_and_shrinks_nothing(victims) -> None:
    sizes = [victims[name]["file"]["flash_bytes"] for name in ("plain", "sparse", "pattern")]
    assert max(sizes) - min(sizes) < 100
    assert victims["sparse"]["training"]["zero_weight_share"] == pytest.approx(0.5, abs=0.02)
    assert 0.3 < victims["pattern"]["training"]["zero_weight_share"] <= 0.5
    arenas = {victims[name]["memory"]["arena_bytes"] for name in ("plain", "sparse", "pattern")}
    assert len(arenas) == 1
    assert victims["heads"]["file"]["flash_bytes"] < 0.7 * min(sizes)


def test_the_zeros_are_in_the_file(run, run_child) -> None:
    """Counted in the int8 weights themselves, below the first convolution, which 2:4 leaves out."""
    code = """
import sys
import numpy as np
import tflite
for path in sys.argv[1:]:
    model = tflite.Model.GetRootAsModel(open(path, "rb").read(), 0)
    graph = model.Subgraphs(0)
    zeros = total = 0
    for index in range(graph.TensorsLength()):
        tensor = graph.Tensors(index)
        data = model.Buffers(tensor.Buffer()).DataAsNumpy()
        if tensor.Type() == tflite.TensorType.INT8 and not isinstance(data, int) and len(data) > 1000:
            zeros, total = zeros + int((data == 0).sum()), total + len(data)
    print(zeros / total)
"""
    shares = [float(line) for line in run_child(code, run.model("plain"), run.model("sparse")).split()]
    assert shares[0] < 0.1
    assert shares[1] > 0.45


def test_the_manifest_says_which_images_calibrated(run, victims) -> None:
    manifest = victims["heads"]["calibration"]
    assert manifest["split"] == "train"
    assert (manifest["in_distribution_images"], manifest["out_of_distribution_images"]) == (30, 10)
    labels = load_dataset(run.config.data).train.labels[manifest["indices"]]
    assert np.bincount(labels, minlength=10).tolist() == manifest["class_histogram"]
    assert len(set(manifest["indices"])) == 30
    assert victims["heads"]["quantization"]["method"] == "post"


def test_hidden_layers_become_two_dense_layers(victims) -> None:
    tail = [(op["operator"], op["output_shape"]) for op in victims["heads"]["file"]["operators"]][-4:]
    assert [name for name, _ in tail] == ["FULLY_CONNECTED", "FULLY_CONNECTED", "RESHAPE", "GATHER"]
    groups = {tuple(group["producers"]): group for group in victims["heads"]["training"]["channel_groups"]}
    kept = sum(groups[(f"head_{index}_hidden",)]["kept"] for index in range(3))
    assert tail[0][1] == [1, kept]
    assert tail[1][1] == [1, 30]


def test_int8_keeps_what_float_had(victims) -> None:
    for name, victim in victims.items():
        assert victim["quantization"]["accuracy_lost_points"] < 6, name
        assert victim["memory"]["differing_bytes"] == 0


def test_the_report_says_that_zeros_save_nothing(run) -> None:
    from pypdf import PdfReader

    text = " ".join(page.extract_text() for page in PdfReader(run.report).pages)
    assert "They do not shrink the model on a microcontroller" in text.replace("\n", " ")
    assert "TF-MOT unstructured" in text
