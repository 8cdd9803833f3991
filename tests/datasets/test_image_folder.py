"""Folders of images: sub-folders are classes, one size, nothing skipped in silence."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinycerb.datasets.image_folder import read_unlabelled_folder
from tinycerb.datasets.user_data import load_user_data, load_user_pool
from tinycerb.errors import EnvironmentProblem, UsageError

RNG = np.random.default_rng(1)


def draw(folder: Path, name: str, count: int, shape: tuple[int, ...] = (12, 10), ending: str = "png") -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    for index in range(count):
        Image.fromarray(RNG.integers(0, 256, shape).astype(np.uint8)).save(folder / name / f"{index:03}.{ending}")


def test_sub_folders_are_classes_and_pixels_survive(tmp_path) -> None:
    draw(tmp_path, "cat", 40)
    draw(tmp_path, "ant", 40)
    (tmp_path / ".cache").mkdir()
    (tmp_path / "cat" / ".DS_Store").write_text("")
    train, test, names = load_user_data(str(tmp_path))
    assert names == ("ant", "cat")
    assert (train.images.shape, test.images.shape) == ((64, 12, 10, 1), (16, 12, 10, 1))
    first = np.asarray(Image.open(tmp_path / "cat" / "000.png"))
    everything = np.concatenate([train.images, test.images])[..., 0]
    labels = np.concatenate([train.labels, test.labels])
    assert labels[np.flatnonzero((everything == first).all(axis=(1, 2)))].tolist() == [1]


def test_a_level_of_train_and_test_is_kept_and_colour_wins(tmp_path) -> None:
    for part, count in (("train", 30), ("test", 6)):
        draw(tmp_path / part, "grey", count)
        draw(tmp_path / part, "colour", count, (12, 10, 3), "bmp")
    train, test, names = load_user_data(str(tmp_path))
    assert names == ("colour", "grey")
    assert (train.images.shape, test.images.shape) == ((60, 12, 10, 3), (12, 12, 10, 3))
    grey = train.images[train.labels == 1]
    assert (grey[..., 0] == grey[..., 1]).all()


def test_a_query_pool_may_be_flat_or_nested(tmp_path) -> None:
    draw(tmp_path, ".", 5)
    draw(tmp_path, "more/of/them", 7)
    assert load_user_pool(str(tmp_path)).shape == (12, 12, 10, 1)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda f: draw(f, "b", 1, (12, 11)), "12x11 pixels .*12x10; all must have one size: mogrify"),
        (lambda f: (f / "empty").mkdir(), "class folder .*empty has no images"),
        (lambda f: (f / "b" / "notes.txt").write_text("x"), "notes.txt is no image file; allowed: .bmp"),
        (lambda f: draw(f, "train/a", 3), "has train/ and no test/"),
        (lambda f: (draw(f, "train/a", 3), draw(f, "test/b", 3)), "different classes: a, b is in one only"),
        (
            lambda f: Image.fromarray(np.zeros((12, 10), np.uint16)).save(f / "b" / "deep.png"),
            "deep.png has 'I;16' pixels; allowed: 8 bits",
        ),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, break_it, message: str) -> None:
    draw(tmp_path, "a", 3)
    draw(tmp_path, "b", 3)
    break_it(tmp_path)
    with pytest.raises(UsageError, match=message):
        load_user_data(str(tmp_path))


def test_no_classes_and_no_images(tmp_path) -> None:
    with pytest.raises(UsageError, match="has no sub-folders; allowed: one per class"):
        load_user_data(str(tmp_path))
    with pytest.raises(UsageError, match="has no images"):
        read_unlabelled_folder(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_a_corrupt_image_is_named(tmp_path, content: bytes | None) -> None:
    draw(tmp_path, "a", 3)
    victim = tmp_path / "a" / "001.png"
    victim.write_bytes(victim.read_bytes()[:60] if content is None else content)
    with pytest.raises(EnvironmentProblem, match=r"001.png is corrupt or no image .*replace it or delete it"):
        load_user_data(str(tmp_path))
