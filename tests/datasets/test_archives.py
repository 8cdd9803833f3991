"""Official archives, made here as they are published, and the command that turns them into arrays."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinycerb.datasets import fetch as fetching
from tinycerb.datasets.cifar import CIFAR_ARCHIVES, read_cifar
from tinycerb.datasets.fetch import fetch
from tinycerb.datasets.fetched import FETCHED, load_fetched
from tinycerb.datasets.images import content_digest
from tinycerb.datasets.tiny_imagenet import read_tiny_imagenet
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.keras_models.legacy import keras

RNG = np.random.default_rng(6)


def tar(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def records(images: np.ndarray, *labels: np.ndarray) -> bytes:
    """Labels, then the red, the green and the blue plane."""
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    return np.concatenate([*(each[:, np.newaxis].astype(np.uint8) for each in labels), planes], axis=1).tobytes()


def cifar10(path: Path) -> tuple[np.ndarray, np.ndarray]:
    images, labels = RNG.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8), np.arange(12) % 10
    parts = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
    tar(
        path,
        {
            f"cifar-10-batches-bin/{name}.bin": records(images[2 * i : 2 * i + 2], labels[2 * i : 2 * i + 2])
            for i, name in enumerate(parts)
        },
    )
    return images, labels


def test_cifar_10_comes_in_its_order_and_colours(tmp_path) -> None:
    images, labels = cifar10(tmp_path / "c.tar.gz")
    arrays = read_cifar(tmp_path / "c.tar.gz", CIFAR_ARCHIVES["cifar10"])
    assert (arrays["train_images"] == images[:10]).all()
    assert (arrays["test_images"] == images[10:]).all()
    assert arrays["train_labels"].tolist() == labels[:10].tolist()
    assert arrays["test_labels"].dtype == np.int32


def test_cifar_100_has_fine_labels(tmp_path) -> None:
    images = RNG.integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    coarse, fine = np.arange(6), 99 - np.arange(6)
    content = records(images, coarse, fine)
    tar(tmp_path / "c.tar.gz", {"cifar-100-binary/train.bin": content, "cifar-100-binary/test.bin": content})
    arrays = read_cifar(tmp_path / "c.tar.gz", CIFAR_ARCHIVES["cifar100"])
    assert arrays["train_labels"].tolist() == fine.tolist()
    assert (arrays["test_images"] == images).all()


def test_a_damaged_archive_is_told(tmp_path) -> None:
    path = tmp_path / "c.tar.gz"
    cifar10(path)
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(EnvironmentProblem, match=r"the archive .*c\.tar\.gz is missing or damaged"):
        read_cifar(path, CIFAR_ARCHIVES["cifar10"])
    tar(path, dict.fromkeys([*CIFAR_ARCHIVES["cifar10"].train, CIFAR_ARCHIVES["cifar10"].test], b"too short"))
    with pytest.raises(EnvironmentProblem, match="is missing or damaged: cannot reshape"):
        read_cifar(path, CIFAR_ARCHIVES["cifar10"])


def jpeg(colour: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def tiny_imagenet(path: Path) -> None:
    root = "tiny-imagenet-200"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{root}/wnids.txt", "n02\nn01\n")
        archive.writestr(f"{root}/train/n01/images/n01_0.JPEG", jpeg((200, 0, 0)))
        archive.writestr(f"{root}/train/n02/images/n02_0.JPEG", jpeg((0, 200, 0)))
        archive.writestr(f"{root}/train/n02/n02_boxes.txt", "n02_0.JPEG\t0\t0\t9\t9\n")
        archive.writestr(f"{root}/val/images/val_0.JPEG", jpeg((0, 0, 200)))
        archive.writestr(f"{root}/val/val_annotations.txt", "val_0.JPEG\tn02\t0\t32\t44\t62\n")


def test_tiny_imagenet_is_halved_and_its_validation_part_is_the_test(tmp_path) -> None:
    tiny_imagenet(tmp_path / "t.zip")
    arrays = read_tiny_imagenet(tmp_path / "t.zip")
    assert arrays["train_labels"].tolist() == [0, 1]
    assert arrays["test_labels"].tolist() == [1]
    assert arrays["train_images"].shape == (2, 32, 32, 3)
    assert np.abs(arrays["train_images"][:, 9, 9].astype(int) - [[200, 0, 0], [0, 200, 0]]).max() < 6
    assert np.abs(arrays["test_images"][0, 9, 9].astype(int) - [0, 0, 200]).max() < 6


def test_tiny_imagenet_without_a_part_is_told(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("tiny-imagenet-200/wnids.txt", "n01\n")
    with pytest.raises(EnvironmentProblem, match=r"is missing or damaged: .*val_annotations"):
        read_tiny_imagenet(tmp_path / "t.zip")


@pytest.fixture
def published(monkeypatch, tmp_path):
    """What is downloaded is made here: by file name, something that writes the archive."""
    made: dict[str, object] = {}

    def get_file(name: str, url: str, cache_dir: str, cache_subdir: str, file_hash: str, hash_algorithm: str) -> str:
        path = Path(cache_dir) / cache_subdir / name
        made[name](path)  # type: ignore[operator]
        if hashlib.new(hash_algorithm, path.read_bytes()).hexdigest() != file_hash:
            raise ValueError("Incomplete or corrupted file detected.")
        return str(path)

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    return made


def test_an_archive_that_is_not_the_published_one_is_refused(published, tmp_path) -> None:
    published["cifar-10-binary.tar.gz"] = cifar10
    with pytest.raises(EnvironmentProblem, match="cifar10 could not be downloaded: Incomplete or corrupted"):
        fetch("cifar10", folder=tmp_path)
    assert not (tmp_path / "cifar10.npz").exists()


def test_frames_0_10_and_20_make_gtsrb_3_and_others_do_not(monkeypatch, tmp_path) -> None:
    asked = []

    def read(folder: Path, frames) -> dict[str, np.ndarray]:
        asked.append(tuple(frames))
        images = np.zeros((3, 32, 32, 3), np.uint8)
        labels = np.arange(3)
        return {
            "train_images": images, "train_labels": labels, "test_images": images, "test_labels": labels,
            "train_groups": labels,
        }  # fmt: skip

    monkeypatch.setattr(fetching, "download_gtsrb", lambda folder: None)
    monkeypatch.setattr(fetching, "read_gtsrb", read)
    assert fetch("gtsrb", [20, 0, 10], tmp_path).name == "gtsrb_3.npz"
    assert fetch("gtsrb_3", folder=tmp_path).name == "gtsrb_3.npz"
    assert fetch("gtsrb", [0], tmp_path).name == "gtsrb.npz"
    assert asked == [(20, 0, 10), (0, 10, 20), (0,)]
    train, _ = load_fetched("gtsrb_3", tmp_path)
    assert train.groups is not None
    with pytest.raises(UsageError, match="--frames is for gtsrb"):
        fetch("cifar10", [0], tmp_path)


def test_every_set_names_a_command_that_makes_it() -> None:
    for name in FETCHED:
        assert name in {*fetching._SOURCES, "gtsrb", "gtsrb_3"} or hasattr(keras.datasets, name)
    with pytest.raises(UsageError, match="--frames is '0,x'; allowed: numbers from 0, such as 0,10,20"):
        fetching.main(["gtsrb", "--frames", "0,x"])


def test_a_content_digest_is_the_same_in_any_order_and_not_for_other_labels() -> None:
    images = RNG.integers(0, 256, (8, 8, 8, 3), dtype=np.uint8)
    arrays = {
        "train_images": images,
        "train_labels": np.arange(8),
        "test_images": images[:2],
        "test_labels": np.arange(2),
    }
    order = RNG.permutation(8)
    other = {**arrays, "train_images": images[order], "train_labels": arrays["train_labels"][order]}
    assert content_digest(arrays) == content_digest(other)
    assert content_digest(arrays) != content_digest({**arrays, "train_labels": np.zeros(8, int)})
