"""What belongs together stays together: frames of a track, recordings of a speaker, pictures of a burst."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinycerb.config import DataConfig
from tinycerb.datasets import load_dataset
from tinycerb.datasets.groups import groups_of_names, held_out_groups
from tinycerb.datasets.images import LabelledImages
from tinycerb.datasets.user_data import open_user_data
from tinycerb.errors import UsageError

CLASSES, TRACKS, FRAMES = 5, 24, 3


def signs(seed: int, tracks: int = TRACKS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, labels and tracks: a little of the class, much of the track, and hardly any difference between frames."""
    classes = np.random.default_rng(0).normal(0, 1, (CLASSES, 12, 12, 1))
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(CLASSES), tracks * FRAMES)
    groups = np.repeat(np.arange(CLASSES * tracks), FRAMES)
    of_track = rng.normal(0, 1, (CLASSES * tracks, 12, 12, 1))
    frames = rng.normal(0, 0.2, (len(labels), 12, 12, 1))
    images = 128 + 30 * (0.3 * classes[labels] + of_track[groups] + frames)
    return images.clip(0, 255).astype(np.uint8), labels, groups


def nearest(train: LabelledImages, other: LabelledImages) -> float:
    """Accuracy of the nearest neighbour."""
    one, two = (part.images.reshape(len(part.images), -1).astype(np.float64) for part in (train, other))
    distances = (two**2).sum(axis=1, keepdims=True) - 2 * two @ one.T + (one**2).sum(axis=1)
    return float((train.labels[distances.argmin(axis=1)] == other.labels).mean())


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    images, labels, groups = signs(1)
    test_images, test_labels, _ = signs(2)
    return {
        "train_images": images, "train_labels": labels, "train_groups": groups, "test_images": test_images,
        "test_labels": test_labels,
    }  # fmt: skip


def load(path: Path, arrays: dict[str, np.ndarray], **settings):
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return load_dataset(DataConfig("user", str(path), validation_images=60, **settings))


def test_a_random_split_reads_too_high_and_a_grouped_one_does_not(arrays, tmp_path) -> None:
    grouped = load(tmp_path / "grouped.npz", arrays)
    random = load(tmp_path / "random.npz", {key: each for key, each in arrays.items() if key != "train_groups"})
    assert (grouped.split, random.split) == ("grouped", "random")
    truth = nearest(grouped.train, grouped.test)
    assert truth < 0.8
    assert nearest(random.train, random.validation) > truth + 0.15
    assert abs(nearest(grouped.train, grouped.validation) - truth) < 0.1


def test_no_track_is_in_two_parts_and_no_image_is_lost(arrays, tmp_path) -> None:
    dataset = load(tmp_path / "data.npz", arrays)
    train, validation = dataset.train.groups, dataset.validation.groups
    assert train is not None
    assert validation is not None
    assert not set(train) & set(validation)
    assert len(validation) == 60
    assert len(train) + len(validation) == CLASSES * TRACKS * FRAMES
    assert open_user_data(str(tmp_path / "data.npz")).left_out == ()


def test_a_test_part_is_held_out_in_whole_groups_too(tmp_path) -> None:
    images, labels, groups = signs(1)
    path = tmp_path / "one.npz"
    np.savez(path, images=images, labels=labels, groups=np.array([f"track {group}" for group in groups]))
    data = open_user_data(str(path))
    assert data.train.groups is not None
    assert data.test.groups is not None
    assert not set(data.train.groups) & set(data.test.groups)
    assert len(data.test.labels) == len(labels) // 5


@pytest.mark.parametrize("wanted", [1, 7, 40])
def test_every_class_keeps_images_and_as_many_are_held_out_as_fit(wanted: int) -> None:
    labels = np.array([0] * 10 + [1] * 50)
    groups = np.concatenate([np.repeat([0, 1], 5), np.repeat(np.arange(2, 12), 5)])
    held = held_out_groups(groups, labels, wanted)
    assert held.sum() == max(wanted // 5, 1) * 5
    assert set(labels[~held]) == {0, 1}
    assert (held == held_out_groups(groups, labels, wanted)).all()
    assert all(len(set(held[groups == group])) == 1 for group in range(12))


def test_groups_that_cannot_be_parted_are_told() -> None:
    with pytest.raises(UsageError, match="the data's 2 groups cannot be parted: each holds all images of a class"):
        held_out_groups(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), 1)


def draw(folder: Path) -> None:
    rng = np.random.default_rng(4)
    for word in ("yes", "no"):
        (folder / word).mkdir(parents=True)
        for speaker in range(10):
            for take in range(4):
                pixels = rng.integers(0, 256, (12, 10)).astype(np.uint8)
                Image.fromarray(pixels).save(folder / word / f"speaker{speaker}_take{take}.png")


def test_a_rule_finds_speakers_in_names_of_files_across_classes(tmp_path) -> None:
    draw(tmp_path / "data")
    config = DataConfig("user", str(tmp_path / "data"), groups=r"/(speaker\d+)_", validation_images=8)
    dataset = load_dataset(config)
    assert dataset.split == "grouped"
    parts = [set(part.groups) for part in (dataset.train, dataset.validation, dataset.test) if part.groups is not None]
    assert len(parts) == 3
    assert [len(part.labels) for part in (dataset.validation, dataset.test)] == [8, 16]
    train, test = open_user_data(config.source, config.groups).train, dataset.test
    assert train.groups is not None
    # Numbered before the test part was taken, so that numbers of both are of the same speakers.
    assert not set(train.groups) & parts[2]
    assert not parts[0] & parts[1]
    assert len(test.labels) == 2 * len(test.labels[test.labels == 0])


def test_groups_are_what_a_rule_matches_or_its_part_in_parentheses() -> None:
    names = ["a/01_1.png", "a/01_2.png", "b/01_1.png"]
    assert groups_of_names(names, r"\w/\d+", "data").tolist() == [0, 0, 1]
    assert groups_of_names(names, r"/(\d+)_", "data").tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (r"/(take\d+)", r"data.groups '/\(take\\\\d\+\)' matches nothing in 'no/speaker0_take0.png'"),
        ("(", r"data.groups is '\(', no regular expression: missing \)"),
    ],
)
def test_a_rule_that_does_not_fit_is_told(rule: str, message: str, tmp_path) -> None:
    draw(tmp_path / "data")
    with pytest.raises(UsageError, match=message):
        load_dataset(DataConfig("user", str(tmp_path / "data"), groups=rule))


def test_a_rule_is_for_folders_and_an_array_for_arrays(arrays, tmp_path) -> None:
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(UsageError, match=r"and .*data\.npz is no folder; allowed: none, and an array train_groups"):
        load_dataset(DataConfig("user", str(tmp_path / "data.npz"), groups="x"))
    with pytest.raises(UsageError, match=r"data\.groups is for data\.name = 'user'; it is 'fashion_mnist'"):
        DataConfig(groups="x")
    with pytest.raises(UsageError, match=r"train_groups of .* is int64 \(3,\); allowed: 360 integers or texts"):
        load(tmp_path / "short.npz", {**arrays, "train_groups": np.arange(3)})
