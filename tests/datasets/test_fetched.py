"""Published data sets that must be fetched first."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinycerb.advice.install import python_command
from tinycerb.config import load_config
from tinycerb.datasets import DATASETS
from tinycerb.datasets.fetched import FETCHED, load_fetched
from tinycerb.errors import EnvironmentProblem

IMAGES = np.random.default_rng(1).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)


def put(folder: Path, labels: np.ndarray) -> None:
    np.savez(
        folder / "cifar10.npz",
        train_images=IMAGES[:10], train_labels=labels[:10], test_images=IMAGES[10:], test_labels=labels[10:],
    )  # fmt: skip


def test_what_was_fetched_is_read(tmp_path) -> None:
    labels = np.arange(20) % 10
    put(tmp_path, labels)
    train, test = load_fetched("cifar10", tmp_path)
    assert (train.images == IMAGES[:10]).all()
    assert (test.labels == labels[10:]).all()


def test_groups_come_along(tmp_path) -> None:
    labels = np.arange(20) % 10
    np.savez(
        tmp_path / "gtsrb_3.npz", train_images=IMAGES[:10], train_labels=labels[:10], test_images=IMAGES[10:],
        test_labels=labels[10:], train_groups=np.arange(10, dtype=np.int32) // 3,
    )  # fmt: skip
    train, test = load_fetched("gtsrb_3", tmp_path)
    assert train.groups is not None
    assert train.groups.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]
    assert test.groups is None
    with pytest.raises(EnvironmentProblem, match=r"gtsrb_3 is not here .*fetch gtsrb --frames 0,10,20$"):
        load_fetched("gtsrb_3", tmp_path / "elsewhere")


def test_what_was_not_fetched_names_the_command(tmp_path) -> None:
    with pytest.raises(EnvironmentProblem, match=rf"get it with: {python_command()} -m tinycerb\.datasets\.fetch svhn"):
        load_fetched("svhn", tmp_path)


@pytest.mark.parametrize("wrong", [10, -1])
def test_labels_outside_the_classes(tmp_path, wrong) -> None:
    labels = np.arange(20) % 10
    labels[3] = wrong
    put(tmp_path, labels)
    with pytest.raises(EnvironmentProblem, match=f"holds the label {wrong}; allowed: 0 to 9"):
        load_fetched("cifar10", tmp_path)


def test_a_damaged_file(tmp_path) -> None:
    (tmp_path / "mnist.npz").write_bytes(b"PK\x03\x04nothing")
    with pytest.raises(EnvironmentProblem, match=r"mnist\.npz is damaged"):
        load_fetched("mnist", tmp_path)


def test_they_are_registered() -> None:
    assert set(FETCHED) <= set(DATASETS)
    assert load_config("paper", ["data.name=cifar10"]).data.name == "cifar10"


def test_an_unknown_one() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tinycerb.datasets.fetch", "cifar"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "unknown data set 'cifar' (did you mean 'cifar10'?)" in done.stderr
