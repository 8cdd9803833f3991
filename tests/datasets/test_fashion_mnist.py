"""The real data, and damaged copies of them."""

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

from tinycerb.config import DataConfig
from tinycerb.datasets import load_dataset
from tinycerb.datasets.fashion_mnist import (
    DEBIAN_FOLDER,
    FILES,
    KERAS_FOLDER,
    download_command,
    find_fashion_mnist,
    load_fashion_mnist,
    package_command,
)
from tinycerb.errors import EnvironmentProblem, UsageError


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    source = DEBIAN_FOLDER if DEBIAN_FOLDER.is_dir() else KERAS_FOLDER
    return Path(shutil.copytree(source, tmp_path / "data"))


def test_all_seventy_thousand_images() -> None:
    train, test, source = load_fashion_mnist()
    assert train.images.shape == (60000, 28, 28, 1)
    assert test.images.shape == (10000, 28, 28, 1)
    assert np.bincount(train.labels).tolist() == [6000] * 10
    assert np.bincount(test.labels).tolist() == [1000] * 10
    assert source


def test_split_is_fixed_disjoint_and_complete() -> None:
    dataset = load_dataset(DataConfig(validation_images=5000))
    assert len(dataset.train.images) == 55000
    load_dataset.cache_clear()
    again = load_dataset(DataConfig(validation_images=5000))
    assert again is not dataset
    assert dataset.digest == again.digest
    together = np.concatenate([dataset.train.labels, dataset.validation.labels])
    assert np.bincount(together).tolist() == [6000] * 10


def test_more_images_than_there_are() -> None:
    with pytest.raises(UsageError, match="60000"):
        load_dataset(DataConfig(validation_images=60000))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def change_the_magic(path: Path) -> None:
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(b"\1" + content[1:], 1))


def cut_the_images(path: Path) -> None:
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-5], 1))


@pytest.mark.parametrize("damage", [truncate, flip_a_byte, change_the_magic, cut_the_images])
def test_a_damaged_file_is_named_with_its_remedy(copy: Path, damage) -> None:
    damage(copy / "t10k-images-idx3-ubyte.gz")
    with pytest.raises(EnvironmentProblem, match=r"t10k-images.*mend it with"):
        load_fashion_mnist([copy])


def test_labels_outside_the_classes(copy: Path) -> None:
    path = copy / "t10k-labels-idx1-ubyte.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[-1] = 10
    path.write_bytes(gzip.compress(bytes(content), 1))
    with pytest.raises(EnvironmentProblem, match="holds the label 10; allowed: 0 to 9"):
        load_fashion_mnist([copy])


def test_a_half_filled_folder_is_not_taken_for_the_data(copy: Path) -> None:
    assert find_fashion_mnist([copy]) == copy
    (copy / FILES[2]).unlink()
    assert find_fashion_mnist([copy]) is None


def test_neither_source_names_both_commands_and_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    # A proxy that nothing listens on: the download fails as it does without a network.
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(EnvironmentProblem) as caught:
        load_fashion_mnist([tmp_path / "no-package", tmp_path / "keras" / "no-download"])
    assert package_command() in str(caught.value)
    assert download_command() in str(caught.value)
    assert list((tmp_path / "keras").iterdir()) == []
