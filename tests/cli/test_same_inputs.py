"""One table of models and data through prune, train, run and convert: all take the same and refuse the same."""

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.firmware.flatbuffer_model import FlatModel
from tinycerb.cli.convert import convert
from tinycerb.cli.prune import prune
from tinycerb.cli.run import run
from tinycerb.cli.train import train
from tinycerb.config import parse_config
from tinycerb.config.user_sources import USER
from tinycerb.errors import EnvironmentProblem, TinyCerbError, UsageError
from tinycerb.keras_models.legacy import keras
from tinycerb.training.model_source import first_build

SHAPE, CLASSES = (16, 16, 1), 3
RNG = np.random.default_rng(5)
IMAGES = RNG.integers(0, 256, (90, *SHAPE)).astype(np.uint8)
LABELS = np.arange(90) % CLASSES
L = keras.layers


class Taken(Exception):
    """The command has accepted what it was given and begins to work."""


def begin(*arguments: Any, **options: Any) -> None:
    raise Taken


def preflight(module: str, *arguments: str, text: str = "") -> dict[str, Any]:
    """Opens the model as the preflight's process does; the rest of it has tests of its own."""
    config = parse_config(text, "the configuration")
    return {"sha256": first_build(config)[1] if config.model.backbone == USER else ""}


def save(network: Any, name: str, **options: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network.save(name, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Sound and broken things, named as a user would name them."""
    path = tmp_path_factory.mktemp("inputs")
    named = {"train_images": IMAGES[:60], "train_labels": LABELS[:60], "x_test": IMAGES[60:], "y_test": LABELS[60:]}
    arrays = {
        "plain.npz": {"images": IMAGES, "labels": LABELS},
        "grey.npz": {"images": IMAGES[..., 0], "labels": LABELS[:, None]},
        "parts.npz": {**named, "class_names": np.array(["a", "b", "c"])},
        "floats.npz": {"images": IMAGES / 255, "labels": LABELS},
        "one_hot.npz": {"images": IMAGES, "labels": np.eye(CLASSES)[LABELS]},
        "from_one.npz": {"images": IMAGES, "labels": LABELS + 1},
        "names.npz": {"images": IMAGES, "labels": LABELS, "class_names": np.array([1, 2, 3])},
        "other.npz": {"X": IMAGES, "y": LABELS},
        "twice.npz": {"train_images": IMAGES, "x_train": IMAGES},
    }
    for name, content in arrays.items():
        np.savez(path / name, **content)
    np.save(path / "array.npy", IMAGES)
    sound = (path / "plain.npz").read_bytes()
    (path / "cut.npz").write_bytes(sound[: len(sound) // 2])
    (path / "flipped.npz").write_bytes(sound[:900] + bytes(200) + sound[1100:])
    (path / "pickle.npz").write_bytes(b"\x80\x04not opened")
    for label in range(CLASSES):
        (path / "pictures" / f"class {label}").mkdir(parents=True)
        for index in np.flatnonzero(label == LABELS):
            Image.fromarray(IMAGES[index, ..., 0]).save(path / "pictures" / f"class {label}" / f"{index}.png")
    (path / "dangling" / "a").mkdir(parents=True)
    (path / "dangling" / "a" / "gone.png").symlink_to("nowhere")
    (path / "loader.py").write_text(
        f"import numpy as np\ndef load():\n    return dict(np.load({str(path / 'plain.npz')!r}))\n"
    )
    network = keras.Sequential([L.Input(SHAPE), L.Conv2D(4, 3), L.Flatten(), L.Dense(CLASSES)])
    for ending in ("h5", "hdf5", "keras"):
        save(network, f"{path}/net.{ending}")
        (path / f"damaged.{ending}").write_bytes(b"nonsense")
    save(network, f"{path}/saved", save_format="tf")
    coded = keras.Sequential([L.Input(SHAPE), L.Lambda(lambda x: x, name="own"), L.Flatten(), L.Dense(CLASSES)])
    save(coded, f"{path}/coded.hdf5")
    flat = FlatModel()
    image, result = flat.tensor([1, *SHAPE], [1 / 255], [-128]), flat.tensor([1, CLASSES], [0.1], [0])
    weights = flat.tensor([CLASSES, 256], [0.1], [0], np.ones((CLASSES, 256), np.int8))
    flat.operator("FULLY_CONNECTED", [image, weights], result, "FullyConnectedOptions")
    (path / "net.tflite").write_bytes(flat.finish([image], result))
    return path


@pytest.fixture
def commands(folder: Path, monkeypatch) -> dict[str, Callable[[str, str], None]]:
    """Every command, called with a model and data; it raises `Taken` where it takes them."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("tinycerb.workflow.user_inputs.call_in_subprocess", preflight)
    monkeypatch.setattr("tinycerb.workflow.work.work", begin)
    monkeypatch.setattr("tinycerb.conversion.from_tflite.in_new_directory", begin)
    monkeypatch.setattr("tinycerb.compression.channel_plan.plan_channels", begin)
    out = folder / "out"
    # A .tflite stands for the model where the data are what is tried.
    return {
        "prune": lambda model, data: prune("custom", model=model, data=data),
        "train": lambda model, data: train(model=model, data=data, out=out, force=True, owner="public"),
        "run": lambda model, data: run(model=model, data=data, out=out, force=True, owner="public"),
        "convert": lambda model, data: convert(Path(model or "net.tflite"), data="" if model else data),
    }


@pytest.mark.parametrize("data", ["plain.npz", "grey.npz", "parts.npz", "pictures", "loader:load"])
def test_all_take_the_same_data(commands, data: str) -> None:
    for command in commands.values():
        with pytest.raises(Taken):
            command("", data)


@pytest.mark.parametrize(
    ("data", "error", "told"),
    [
        ("floats.npz", UsageError, r"np\.rint\(images \* 255\)\.astype\(np\.uint8\)"),
        ("one_hot.npz", UsageError, r"one-hot: take labels\.argmax\(axis=1\)"),
        ("from_one.npz", UsageError, "take labels - 1"),
        ("names.npz", UsageError, "class_names of .* is int64 .*; allowed: a list of strings"),
        ("other.npz", UsageError, "holds X, y; allowed: "),
        ("twice.npz", UsageError, "holds both train_images and x_train; allowed: one of them"),
        ("array.npy", UsageError, r"ends in '\.npy'; allowed: a \.npz file"),
        ("cut.npz", EnvironmentProblem, "cut.npz is corrupt or cannot be read .*write it again"),
        ("flipped.npz", EnvironmentProblem, "flipped.npz is corrupt or cannot be read .*write it again"),
        ("pickle.npz", UsageError, "pickles are never opened"),
        ("missing.npz", EnvironmentProblem, r"there is no .*missing\.npz; allowed: a \.npz file, a folder"),
        ("dangling", EnvironmentProblem, "gone.png is a link to nowhere, which is not there"),
        ("loader.py", UsageError, "--data loader:load$"),
        ("loader.load", UsageError, "--data loader:load$"),
        ("loader:lod", UsageError, "did you mean 'load'"),
    ],
)
def test_all_refuse_the_same_data_with_the_same_words(commands, data: str, error: type, told: str) -> None:
    messages = set()
    for command in commands.values():
        with pytest.raises(error, match=f"(?s){told}") as refused:
            command("", data)
        messages.add(re.search(f"(?s){told}", str(refused.value)).group())  # type: ignore[union-attr]
    assert len(messages) <= 2, "one path in full, one as it was given"


@pytest.mark.parametrize("model", ["net.h5", "net.hdf5", "net.keras", "saved"])
def test_all_open_the_same_models(commands, model: str) -> None:
    for name, command in commands.items():
        # What is opened there has to be quantization-aware, which is another question.
        expected = (UsageError, "it is not quantization-aware") if name == "convert" else (Taken, None)
        with pytest.raises(expected[0], match=expected[1]):
            command(model, "plain.npz")


@pytest.mark.parametrize(
    ("model", "error", "told"),
    [
        ("damaged.h5", EnvironmentProblem, "damaged.h5 is corrupt"),
        ("damaged.hdf5", EnvironmentProblem, "damaged.hdf5 is corrupt"),
        ("damaged.keras", EnvironmentProblem, "damaged.keras is corrupt"),
        ("missing.hdf5", EnvironmentProblem, "there is no model file .*missing.hdf5"),
        ("missing.keras", EnvironmentProblem, "there is no model file .*missing.keras"),
        ("coded.hdf5", UsageError, r"code of its own \(layer 'own', a Lambda\)"),
    ],
)
def test_all_refuse_the_same_models(commands, model: str, error: type[TinyCerbError], told: str) -> None:
    for command in commands.values():
        with pytest.raises(error, match=told):
            command(model, "plain.npz")


def test_the_digest_of_a_saved_model_is_that_of_all_its_files(folder: Path, tmp_path) -> None:
    from shutil import copytree

    from tinycerb.training.model_source import load_user_model

    copy = copytree(folder / "saved", tmp_path / "saved")
    one, other = (load_user_model(str(path))[1] for path in (folder / "saved", copy))
    assert one == other
    (copy / "assets" / "note.txt").write_text("x")
    assert load_user_model(str(copy))[1] != one


def test_convert_names_what_it_does_not_use_and_takes_the_names_of_classes(folder: Path, monkeypatch, capsys) -> None:
    from tinycerb.conversion.options import ConversionOptions, _class_names, _data

    np.savez(folder / "more.npz", images=IMAGES, class_names=np.array(["a", "b", "c"]), extra=np.zeros(4))
    found = _data(ConversionOptions(data=str(folder / "more.npz")), SHAPE, CLASSES)
    assert capsys.readouterr().err == f"not used of {folder}/more.npz: the arrays extra (4 entries)\n"
    assert (len(found.images), found.labels) == (90, None)
    assert _class_names(ConversionOptions(), CLASSES, found.class_names) == ["a", "b", "c"]
    assert _class_names(ConversionOptions(class_names=("x", "y", "z")), CLASSES, found.class_names) == ["x", "y", "z"]
    with pytest.raises(UsageError, match=r"class_names of .* has 3 names; the model tells 4 classes apart"):
        _data(ConversionOptions(data=str(folder / "more.npz")), SHAPE, 4)


def test_a_file_that_is_not_there_is_told_with_the_nearest_name(commands) -> None:
    with pytest.raises(EnvironmentProblem, match=r"there is no nett.tflite \(did you mean 'net.tflite'\?\)"):
        convert(Path("nett.tflite"))
