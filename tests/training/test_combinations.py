"""Pieces of recipes with each other, with ways of pruning, defences and quantization: every pair of them once at least.

Each combination trains a tiny network for an epoch in every stage and converts it.
"""

import itertools
import random
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tinycerb.atomic import read_json
from tinycerb.config import load_config
from tinycerb.conversion.from_run import convert_victim
from tinycerb.converters.model_file import read_model_file
from tinycerb.datasets import load_dataset
from tinycerb.events import ignore
from tinycerb.file_names import CHECKPOINT, MODEL, TRAINING
from tinycerb.keras_models.legacy import keras
from tinycerb.run.victim import victims_of
from tinycerb.training.augmentation import AUGMENTATIONS
from tinycerb.training.checkpoint import Checkpoint
from tinycerb.training.distillation import train_teacher
from tinycerb.training.optimizers import OPTIMIZERS
from tinycerb.training.victim import train_dense, train_victim

PICTURES, SPECTROGRAMS = (
    "+".join(name for name in AUGMENTATIONS if AUGMENTATIONS[name].data == kind)
    for kind in ("pictures", "spectrograms")
)
VICTIMS = {
    "sparse, cerberos": ", channel_ratio=0.5, pruning='unstructured', defense='cerberos', options={heads=2}",
    "cut, misdirection": ", channel_ratio=0.5, defense='misdirection'",
    "ini": ", defense='ini'",
}
FACTORS: Mapping[str, tuple[str, ...]] = {
    "victim": tuple(VICTIMS),
    "training.optimizer": tuple(OPTIMIZERS),
    "training.augmentation": ("''", PICTURES, SPECTROGRAMS),
    "quantization.method": ("aware", "post"),
    "training.label_smoothing": ("0", "0.1"),
    "training.class_weights": ("even", "balanced"),
    "training.average_decay": ("0", "0.9"),
    "training.best_epoch": ("false", "true"),
    "training.warm_up_epochs": ("0", "0.5"),
    "distillation.backbone": ("''", "lenet5"),
}


def pairs_of(row: Mapping[str, str]) -> set[tuple[tuple[str, str], ...]]:
    """All pairs of a value with another factor's."""
    return set(itertools.combinations(sorted(row.items()), 2))


def covering(seed: int) -> list[dict[str, str]]:
    """Rows in which every pair of values is found: of drawn ones, each time the one with most that are new."""
    rng = random.Random(seed)
    missing = {
        pair
        for (one, first), (other, second) in itertools.combinations(sorted(FACTORS.items()), 2)
        for pair in itertools.product(((one, value) for value in first), ((other, value) for value in second))
    }
    rows = []
    while missing:
        drawn = [{name: rng.choice(values) for name, values in FACTORS.items()} for _ in range(500)]
        rows.append(max(drawn, key=lambda row: len(pairs_of(row) & missing)))
        missing -= pairs_of(rows[-1])
    return rows


ROWS = covering(seed=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Drawn images of three classes, one of them rare, that are told apart by where they are bright."""
    rng = np.random.default_rng(5)
    labels = rng.choice(3, 220, p=[0.5, 0.3, 0.2])
    images = rng.integers(0, 80, (220, 12, 12, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 * label : 4 * label + 4] += 120
    path = tmp_path_factory.mktemp("data") / "drawn.npz"
    np.savez(path, images=images, labels=labels)
    return path


@pytest.fixture(scope="module")
def teacher(data, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("teacher")
    config = load_config("smoke", [*settings(ROWS[0], data), "distillation.backbone=lenet5"])
    train_teacher(config, load_dataset(config.data), folder, ignore)
    return folder


def settings(row: Mapping[str, str], data: Path) -> list[str]:
    chosen = {
        "victims": f"[{{name='v'{VICTIMS[row['victim']]}}}]",
        "attacks": "[]",
        "bench.baseline": "v",
        "data.name": "user",
        "data.source": str(data),
        "data.train_images": "0",
        "data.validation_images": "40",
        "data.test_images": "0",
        "model.backbone": "user",
        "model.source": "tests.training.tiny_network:build",
        "training.batch_size": "32",
        "quantization.calibration_images": "64",
        "out_of_distribution.images": "64",
        "distillation.width": "0.5",
        "distillation.epochs": "1",
        **{key: value for key, value in row.items() if key != "victim"},
    }
    return [f"{key}={value}" for key, value in chosen.items()]


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated.*:UserWarning")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["victim"])
def test_any_combination_trains_and_converts(row: Mapping[str, str], data: Path, teacher: Path, tmp_path: Path) -> None:
    # Layers are numbered per process, and the numbers stand in the files.
    keras.backend.clear_session()
    config = load_config("smoke", settings(row, data))
    dataset, dense, folder = load_dataset(config.data), tmp_path / "dense", tmp_path / "victim"
    victim = victims_of(config)["v"]
    train_dense(config, victim, dataset, dense, ignore, teacher=teacher)
    train_victim(config, victim, dataset, dense, folder, ignore, teacher=teacher)
    convert_victim(config, victim, dataset, folder, ignore)
    history = read_json(folder / TRAINING)["history"]
    stages = ["dense", "prune", "recover", "quantize"][: 3 + (row["quantization.method"] == "aware")]
    assert [each["stage"] for each in history] == stages
    assert all(0 < each["cross_entropy"] < 20 for each in history)
    state = Checkpoint.load(folder / CHECKPOINT)
    assert state is not None
    assert bool(state.average) is (row["training.average_decay"] != "0")
    assert bool(state.best) is (row["training.best_epoch"] == "true")
    assert read_model_file(folder / MODEL).content


def test_every_pair_is_there() -> None:
    found = set().union(*map(pairs_of, ROWS))
    for (one, first), (other, second) in itertools.combinations(sorted(FACTORS.items()), 2):
        assert all(((one, a), (other, b)) in found for a in first for b in second)
    assert len(ROWS) < 15
