"""`tinycerb convert` on saved models and .tflite files; runs are covered by the smoke run."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinycerb.answers.responses import parse_response, respond
from tinycerb.converters.golden import parse_golden
from tinycerb.converters.metadata import read_metadata
from tinycerb.converters.model_file import read_model_file
from tinycerb.datasets import load_dataset
from tinycerb.oracle import OracleSpec, SealedOracle

FILES = {"model.tflite", "model.json", "golden.bin", "golden.h", "resolver.h"}


@pytest.fixture(scope="module")
def labelled(smoke_run, tmp_path_factory) -> Path:
    """Test images of the smoke run and their labels."""
    test = load_dataset(smoke_run.config.data).test
    path = tmp_path_factory.mktemp("data") / "test.npz"
    np.savez(path, images=test.images[:200], labels=test.labels[:200])
    return path


def test_a_saved_model_becomes_the_run_s_file(cli, smoke_run, labelled, fresh) -> None:
    source = smoke_run.victim("cerberos") / "model.h5"
    arguments = (
        "convert",
        source,
        "--out",
        fresh,
        "--data",
        labelled,
        "--max-accuracy-drop",
        20,
        "--op",
        "custom-draw",
    )
    finished = cli(*arguments)
    assert finished.returncode == 0, finished.stderr
    assert {path.name for path in fresh.iterdir()} == FILES | {"model.custom.tflite"}
    assert "Python:" in finished.stdout
    assert "answered the golden vectors: tflite-runtime 2.14.0, tflite-micro" in finished.stdout
    ours, runs = (read_model_file(path) for path in (fresh / "model.tflite", smoke_run.model("cerberos")))
    assert [op.outputs for op in ours.operators] == [op.outputs for op in runs.operators]
    assert set(read_model_file(fresh / "model.custom.tflite").inputs) == {"image"}
    again = cli(*arguments)
    assert again.returncode == 2
    assert "replace it with --force" in again.stderr


SAVE = """
import sys
from pathlib import Path
from tinycerb.compression.quantization import load_quantization_aware
load_quantization_aware(Path(sys.argv[1])).save(sys.argv[2], save_format="tf")
"""


def test_a_savedmodel_directory_becomes_the_same_file_as_its_hdf5(cli, smoke_run, tmp_path) -> None:
    source = smoke_run.victim("undefended") / "model.h5"
    subprocess.run([sys.executable, "-c", SAVE, source, tmp_path / "saved"], check=True, capture_output=True)
    for given, out in ((source, tmp_path / "a"), (tmp_path / "saved", tmp_path / "b")):
        finished = cli("convert", given, "--out", out)
        assert finished.returncode == 0, finished.stderr
    first, second = (parse_golden((tmp_path / out / "golden.bin").read_bytes()) for out in "ab")
    assert (first.images == second.images).all()
    assert (first.logits == second.logits).all()
    assert len(np.unique(first.logits)) > 5


def test_the_accuracy_gate_names_the_head_and_leaves_nothing(cli, smoke_run, fresh, tmp_path) -> None:
    """Labels that the trained model gives are missed by the int8 file wherever rounding decides."""
    code = """
import sys
import numpy as np
from pathlib import Path
from tinycerb.compression.quantization import load_quantization_aware
from tinycerb.training.objective import LogitPredictor
from tinycerb.datasets.fashion_mnist import load_fashion_mnist
images = load_fashion_mnist()[1].images[:1000]
labels = LogitPredictor(load_quantization_aware(Path(sys.argv[1])))(images)[:, 0].argmax(axis=1)
np.savez(sys.argv[2], images=images, labels=labels)
"""
    source = smoke_run.victim("cerberos") / "model.h5"
    subprocess.run([sys.executable, "-c", code, source, tmp_path / "own.npz"], check=True, capture_output=True)
    finished = cli("convert", source, "--out", fresh, "--data", tmp_path / "own.npz", "--max-accuracy-drop", 0)
    assert finished.returncode == 1, finished.stderr
    assert "layer 'head_0' of model: accuracy falls from 100.0% to" in finished.stderr
    assert not fresh.exists()
    assert list(tmp_path.glob(".fresh*")) == []


def answers(path: Path, images: np.ndarray, selection: str = "fixed") -> np.ndarray:
    with SealedOracle(OracleSpec(str(path), "probs", selection, 1)) as oracle:
        return (oracle.query(images) * 256).astype(int)


def test_a_response_is_put_on_an_existing_file_and_applied(cli, smoke_run, labelled, tmp_path) -> None:
    images = np.load(labelled)["images"]
    source = smoke_run.model("cerberos")
    plain = answers(source, images)
    for response in ("top1", "rounding,bits=2"):
        out = tmp_path / response.split(",")[0]
        finished = cli("convert", source, "--response", response, "--out", out)
        assert finished.returncode == 0, finished.stderr
        assert {path.name for path in out.iterdir()} == FILES
        metadata = read_metadata(read_model_file(out / "model.tflite"))
        assert metadata is not None
        assert metadata["response"] == response
        changed = answers(out / "model.tflite", images)
        assert (changed.argmax(axis=1) == plain.argmax(axis=1)).all()
        assert (changed.sum(axis=1) == 256).all()
        assert len(np.unique(changed)) < len(np.unique(plain)) / 2
    assert set(np.unique(answers(tmp_path / "top1" / "model.tflite", images))) == {0, 1, 255}
    assert not (source.parent / "converted").exists()


def test_oracle_and_firmware_answer_with_the_response_of_the_file(cli, smoke_run, labelled, tmp_path) -> None:
    """Flashing stops where a golden answer of the device is not the host's."""
    images = np.load(labelled)["images"]
    source = smoke_run.model("cerberos")
    plain = answers(source, images).astype(np.uint8)
    np.save(tmp_path / "matrix.npy", np.full((10, 10), 0.05) + 0.5 * np.eye(10))
    for response in ("dcp,tau=.7", f"ntm,file={tmp_path / 'matrix.npy'}+mad,epsilon=.3+rounding,bits=4"):
        out = tmp_path / response[:3]
        finished = cli("convert", source, "--response", response, "--out", out, "--json")
        assert finished.returncode == 0, finished.stderr
        kept = next(iter(json.loads(finished.stdout).values()))["response"]
        assert str(tmp_path) not in kept
        expected = respond(parse_response(kept), plain)
        assert (answers(out / "model.tflite", images) == expected).all()
        assert (expected != plain).any()
        flashed = cli("flash", out / "model.tflite", "--board", "qemu-m4")
        assert flashed.returncode == 0, flashed.stderr
    refused = cli("convert", source, "--response", "ntm,matrix=gICAgA", "--out", tmp_path / "other")
    assert refused.returncode == 2
    assert "is for 2 classes; the model has 10" in refused.stderr


def test_a_run_that_is_benched_keeps_its_files(cli, smoke_run, fresh) -> None:
    shutil.copytree(smoke_run.path, fresh)
    finished = cli("convert", fresh, "--response", "top1")
    assert finished.returncode == 2
    assert "has been benched as it is" in finished.stderr
    # Before the bench the response goes into the run's own file.
    (fresh / "victims/undefended/measurements.json").unlink()
    (fresh / "victims/cerberos/measurements.json").unlink()
    finished = cli("convert", fresh, "--response", "top1", "--op", "custom", "--json")
    assert finished.returncode == 0, finished.stderr
    cards = json.loads(finished.stdout)
    assert {card["response"] for card in cards.values()} == {"top1"}
    assert all((Path(path).parent / "model.custom.tflite").is_file() for path in cards)


FOREIGN = """
import sys
import numpy as np
import tensorflow as tf
kernel = tf.constant(np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32))
def classify(x):
    logits = tf.matmul(tf.reshape(x, [1, 64]), kernel)
    return tf.nn.softmax(logits) if sys.argv[2] == "softmax" else logits
function = tf.function(classify, input_signature=[tf.TensorSpec([1, 8, 8, 1], tf.float32, name="pixels")])
converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
converter.optimizations = [tf.lite.Optimize.DEFAULT]
samples = [[np.random.default_rng(i).random((1, 8, 8, 1)).astype(np.float32)] for i in range(20)]
converter.representative_dataset = lambda: samples
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = converter.inference_output_type = tf.int8
open(sys.argv[1], "wb").write(converter.convert())
"""


@pytest.mark.parametrize("ending", ["softmax", "logits"])
def test_a_response_on_a_file_of_other_origin(cli, tmp_path, ending: str) -> None:
    source, out = tmp_path / "foreign.tflite", tmp_path / "out"
    subprocess.run([sys.executable, "-c", FOREIGN, source, ending], check=True, capture_output=True)
    arguments = ["convert", source, "--response", "top1", "--out", out, "--class-names", "a,b,c,d"]
    finished = cli(*arguments)
    # TensorFlow, which is not needed, would say something.
    assert (finished.returncode, finished.stderr) == (0, "")
    golden = parse_golden((out / "golden.bin").read_bytes())
    assert golden.logits.shape[1:] == (1, 4)
    images = np.random.default_rng(1).integers(0, 256, (50, 8, 8, 1), dtype=np.uint8)
    found = answers(out / "model.tflite", images)
    assert set(np.unique(found)) == {0, 1, 255}
    assert len(np.unique(found.argmax(axis=1))) > 1
    # The response stands on the right posteriors: those that the file's own outputs order.
    plain = tmp_path / "plain"
    assert cli("convert", source, "--out", plain).returncode == 0
    exact = answers(plain / "model.tflite", images)
    assert (exact.argmax(axis=1) == found.argmax(axis=1)).all()
    assert len(np.unique(exact)) > 20
    assert "kHeadInput" not in (out / "resolver.h").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--op", "costum"], 2, "did you mean 'custom'"),
        (["--response", "rounding,bits=0"], 2, "allowed: 1 to 8"),
        (["--target", "tflm"], 2, "allowed: tflite-runtime-2-14, tflite-micro"),
        (["--max-accuracy-drop", "101"], 2, "allowed: 0 to 100"),
        (["--max-accuracy-drop", "1"], 2, "give a run or a .h5 file"),
        (["--data", "missing.npz"], 3, "there is no missing.npz; allowed: a .npz file, a folder of images"),
        (["--out", "/proc/nowhere"], 3, "cannot write"),
    ],
)
def test_wrong_options_are_named_and_leave_nothing(cli, smoke_run, fresh, arguments, code: int, message: str) -> None:
    out = [] if "--out" in arguments else ["--out", fresh]
    finished = cli("convert", smoke_run.model("cerberos"), *out, *arguments)
    assert finished.returncode == code, finished.stderr
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not fresh.exists()


def test_a_damaged_file_is_named(cli, smoke_run, fresh, tmp_path) -> None:
    content = smoke_run.model("cerberos").read_bytes()
    (tmp_path / "cut.tflite").write_bytes(content[:1000])
    finished = cli("convert", tmp_path / "cut.tflite", "--out", fresh)
    assert finished.returncode == 2
    assert "damaged or truncated" in finished.stderr
    assert not fresh.exists()
