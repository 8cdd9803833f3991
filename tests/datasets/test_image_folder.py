"""Folders of images: sub-folders are classes, one size, nothing skipped in silence."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinycerb.datasets.image_folder import read_unlabelled_folder
from tinycerb.datasets.user_data import load_user_data, load_user_pool, open_user_data, open_user_pool
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


def test_folders_in_a_class_belong_to_it_and_links_lead_where_they_say(tmp_path) -> None:
    draw(tmp_path / "elsewhere", "far", 10)
    draw(tmp_path / "data", "a", 30)
    draw(tmp_path / "data", "a/more", 20)
    draw(tmp_path / "data", "b", 30)
    draw(tmp_path / "data", "b/.cache", 5)
    (tmp_path / "data" / "b" / "far").symlink_to(tmp_path / "elsewhere" / "far")
    data = open_user_data(str(tmp_path / "data"))
    labels = np.concatenate([data.train.labels, data.test.labels])
    assert np.bincount(labels).tolist() == [50, 40]
    assert data.left_out == ()
    assert len(load_user_pool(str(tmp_path / "data"))) == 90


@pytest.mark.parametrize("place", ["b", "b/deep", "train/b"])
@pytest.mark.parametrize("load", [load_user_data, load_user_pool])
def test_a_link_to_nothing_is_named(tmp_path, load, place: str) -> None:
    for name in ("a", "b/deep", "train/a", "train/b", "test/a", "test/b") if "train" in place else ("a", "b/deep"):
        draw(tmp_path, name, 30)
    (tmp_path / place / "gone.png").symlink_to("nowhere.png")
    with pytest.raises(EnvironmentProblem, match=r"gone.png is a link to nowhere.png, which is not there; mend it or"):
        load(str(tmp_path))


def test_a_folder_that_leads_back_into_itself_is_named(tmp_path) -> None:
    draw(tmp_path, "a", 3)
    (tmp_path / "a" / "again").symlink_to(tmp_path / "a")
    for load in (load_user_data, load_user_pool):
        with pytest.raises(UsageError, match=r"again is a link to .*, in which it lies itself; delete it"):
            load(str(tmp_path))


def test_what_lies_beside_is_named_with_a_count(tmp_path) -> None:
    for part, count in (("train", 30), ("test", 6), ("validation", 4)):
        draw(tmp_path / part, "a", count)
        draw(tmp_path / part, "b", count)
    (tmp_path / "README.md").write_text("x")
    (tmp_path / "train" / "labels.csv").write_text("x")
    (tmp_path / "train" / "gone.png").symlink_to("nowhere.png")
    data = open_user_data(str(tmp_path))
    assert (len(data.train.images), len(data.test.images)) == (60, 12)
    assert data.left_out == (
        f"{tmp_path}/validation, 8 files (validation images are held out from train/)",
        f"1 file beside train/ and test/, {tmp_path}/README.md first",
        f"2 files beside the classes in {tmp_path}/train, {tmp_path}/train/gone.png first",
    )


def test_what_pixels_do_not_show_is_named_with_a_count(tmp_path) -> None:
    draw(tmp_path, "a", 40, (12, 10, 3))
    (tmp_path / "b").mkdir()
    for index in range(40):
        pixels = RNG.integers(0, 256, (12, 10, 4)).astype(np.uint8)
        # Opaque ones lose nothing.
        pixels[..., 3] = 255 if index < 38 else pixels[..., 3]
        Image.fromarray(pixels, "RGBA").save(tmp_path / "b" / f"{index:03}.png")
    frames = [Image.fromarray(RNG.integers(0, 256, (12, 10)).astype(np.uint8)) for _ in range(3)]
    frames[0].save(tmp_path / "a" / "moving.gif", save_all=True, append_images=frames[1:])
    turned = Image.Exif()
    turned[0x0112] = 6
    frames[0].save(tmp_path / "a" / "turned.jpg", exif=turned)
    for opened in (open_user_data, open_user_pool):
        assert opened(str(tmp_path)).left_out == (
            f"all frames but the first of 1 of 82 pictures, {tmp_path}/a/moving.gif first",
            f"the turn that EXIF asks for of 1 of 82 pictures, {tmp_path}/a/turned.jpg first",
            f"the alpha channel of 2 of 82 pictures, {tmp_path}/b/038.png first",
        )


def test_grey_with_an_opaque_alpha_channel_stays_grey(tmp_path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for index in range(40):
            pixels = np.dstack([RNG.integers(0, 256, (12, 10)), np.full((12, 10), 255)]).astype(np.uint8)
            Image.fromarray(pixels, "LA").save(tmp_path / name / f"{index}.png")
    data = open_user_data(str(tmp_path))
    assert data.train.images.shape == (64, 12, 10, 1)
    assert data.left_out == ()
