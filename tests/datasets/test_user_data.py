"""Data that users bring along: what fits is loaded as it is, what does not is named."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from tinycerb.config import DataConfig
from tinycerb.datasets import load_dataset
from tinycerb.datasets.query_pools import query_pool
from tinycerb.datasets.user_data import load_user_data, load_user_pool, open_user_data, open_user_pool
from tinycerb.errors import EnvironmentProblem, UsageError

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(3)
IMAGES = RNG.integers(0, 256, (120, 12, 10, 1)).astype(np.uint8)
LABELS = np.arange(120) % 3
GOOD = {
    "train_images": IMAGES[:90],
    "train_labels": LABELS[:90],
    "test_images": IMAGES[90:],
    "test_labels": LABELS[90:],
}
KEEP = object()


def save(folder: Path, **arrays) -> str:
    path = folder / "data.npz"
    np.savez(path, **{key: value for key, value in (GOOD | arrays).items() if value is not KEEP})
    return str(path)


def test_a_sound_file_is_loaded_as_it_is(tmp_path) -> None:
    train, test, names = load_user_data(save(tmp_path, class_names=np.array(["a", "b", "c"])))
    assert names == ("a", "b", "c")
    np.testing.assert_array_equal(train.images, GOOD["train_images"])
    np.testing.assert_array_equal(test.labels, GOOD["test_labels"])
    assert (train.images.dtype, train.labels.dtype) == (np.uint8, np.int32)


def test_the_names_of_keras_grey_images_and_columns_of_labels_are_understood(tmp_path) -> None:
    path = tmp_path / "keras.npz"
    names = {"x_train": IMAGES[:90, ..., 0], "y_train": LABELS[:90, None], "x_test": IMAGES[90:], "y_test": LABELS[90:]}
    np.savez_compressed(path, **names)
    train, test, class_names = load_user_data(str(path))
    assert train.images.shape == (90, 12, 10, 1)
    assert train.labels.tolist() == LABELS[:90].tolist()
    assert len(test.images) == 30
    assert class_names == ("0", "1", "2")


def test_without_a_test_part_a_fifth_of_every_class_is_held_out(tmp_path) -> None:
    path = tmp_path / "one.npz"
    np.savez(path, images=IMAGES, labels=LABELS)
    train, test, _ = load_user_data(str(path))
    assert np.bincount(test.labels).tolist() == [8, 8, 8]
    together = np.unique(np.concatenate([train.images, test.images]), axis=0)
    np.testing.assert_array_equal(together, np.unique(IMAGES, axis=0))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"train_images": np.full((90, 12, 10, 1), np.nan)}, "10800 values that are NaN.*allowed: uint8"),
        ({"train_images": IMAGES[:90].reshape(90, 120)}, r"shape \(90, 120\); allowed: \[images, height"),
        ({"train_images": IMAGES[:90, :4]}, "images of 4x10x1.*sides of 8 or more"),
        ({"train_images": IMAGES[:0], "train_labels": LABELS[:0]}, "no images; give at least 50"),
        ({"test_images": IMAGES[90:, :, :9]}, r"\(12, 10, 1\), test_images of \(12, 9, 1\); allowed: one shape"),
        ({"train_labels": LABELS[:80]}, "80 labels for 90 images"),
        ({"train_labels": np.where(LABELS[:90] > 0, LABELS[:90], np.nan)}, "NaN or infinite.*allowed: integers"),
        ({"train_labels": LABELS[:90] - 1}, "label -1; allowed: 0 to classes - 1"),
        ({"test_labels": LABELS[90:] + 1}, "holds the label 3; allowed: 0 to 2"),
        ({"class_names": np.array(["a", "b"])}, "holds the label 2; allowed: 0 to 1"),
        ({"class_names": np.arange(3)}, "class_names of .* is int64"),
        ({"train_labels": np.where(LABELS[:90] == 1, 3, LABELS[:90])}, r"class '1' \(1\) has no training images"),
        ({"test_labels": LABELS[90:] * 0}, r"class '1' \(1\), '2' \(2\) has no test images"),
        ({"train_labels": LABELS[:90] * 0, "test_labels": LABELS[90:] * 0}, "one class .*allowed: 2 or more"),
        ({"train_images": IMAGES[:30], "train_labels": LABELS[:30]}, "30 training images; allowed: 50 or more"),
        ({"test_images": IMAGES[90:93], "test_labels": LABELS[90:93]}, "3 test images; allowed: 10 or more"),
        ({"train_labels": KEEP}, "and no train_labels; allowed: train_images, train_labels"),
        ({"test_images": KEEP}, "holds test_labels, train_images.*or images and labels"),
        ({"train_images": np.array([None, 1, "x"], dtype=object)}, "pickled Python objects.*never opened"),
    ],
)
def test_what_does_not_fit_is_named_with_what_would(tmp_path, arrays, message: str) -> None:
    with pytest.raises(UsageError, match=f"(?s){message}"):
        load_user_data(save(tmp_path, **arrays))


FLAT, CHANNELS_FIRST, IMAGES_LAST = IMAGES[:90, :10], IMAGES[:90].repeat(3, axis=3), IMAGES[:90]
# What people bring, and what becomes of it by the line that the refusal gives: right images, 0 to 255.
PIXELS = {
    "float 0..1": (IMAGES[:90] / 255, "np.rint(train_images * 255).astype(np.uint8)"),
    "float -1..1": (
        (IMAGES[:90] / 127.5 - 1).astype(np.float32),
        "np.rint((train_images + 1) * 127.5).astype(np.uint8)",
    ),
    "float 0..255": (IMAGES[:90].astype(np.float32), "np.rint(train_images).astype(np.uint8)"),
    "uint16": (IMAGES[:90].astype(np.uint16) * 257, "np.rint(train_images * (255 / 65535)).astype(np.uint8)"),
    "uint16 to 255": (IMAGES[:90].astype(np.uint16), "train_images.astype(np.uint8)"),
    "int64": (IMAGES[:90].astype(np.int64), "train_images.astype(np.uint8)"),
    "int8": (
        (IMAGES[:90].astype(np.int16) - 128).astype(np.int8),
        "(train_images.astype(np.int16) + 128).astype(np.uint8)",
    ),
    "channels first": (CHANNELS_FIRST.transpose(0, 3, 1, 2), "train_images.transpose(0, 2, 3, 1)"),
    "images last": (CHANNELS_FIRST.transpose(1, 2, 3, 0), "train_images.transpose(3, 0, 1, 2)"),
    "flat": (FLAT.reshape(90, -1), "train_images.reshape(-1, 10, 10, 1)"),
    "one image": (CHANNELS_FIRST[0], "train_images[np.newaxis]"),
}
CLASSES = {
    "one-hot": (np.eye(3)[LABELS[:90]], "train_labels.argmax(axis=1)"),
    "whole one-hot": (np.eye(3)[LABELS[:90]].astype(np.int64), "train_labels.argmax(axis=1)"),
    "bool one-hot": (np.eye(3)[LABELS[:90]] > 0, "train_labels.argmax(axis=1)"),
    "posteriors": (np.eye(3)[LABELS[:90]] * 0.7 + 0.1, "train_labels.argmax(axis=1)"),
    "whole floats": (LABELS[:90].astype(np.float32), "train_labels.astype(np.int64)"),
    "from 1": (LABELS[:90] + 1, "train_labels - 1"),
    "an ID": (
        np.where(LABELS[:90] == 2, 2_000_000_000, LABELS[:90]),
        "np.searchsorted(np.unique(train_labels), train_labels)",
    ),
    "wide": (LABELS[:90].astype(np.int64) + 2**40, "np.searchsorted(np.unique(train_labels), train_labels)"),
    "unsigned": (LABELS[:90].astype(np.uint64) + 2**63, "np.searchsorted(np.unique(train_labels), train_labels)"),
    "negative": (LABELS[:90] - 1, "np.searchsorted(np.unique(train_labels), train_labels)"),
}


@pytest.mark.parametrize("kind", PIXELS)
def test_the_refusal_of_images_gives_the_line_that_mends_this_very_array(tmp_path, kind: str) -> None:
    array, line = PIXELS[kind]
    with pytest.raises(UsageError) as refused:
        load_user_data(save(tmp_path, train_images=array))
    assert line in str(refused.value)
    mended = eval(line, {"np": np, "train_images": array})
    expected = {
        "flat": FLAT,
        "channels first": CHANNELS_FIRST,
        "images last": CHANNELS_FIRST,
        "one image": CHANNELS_FIRST[:1],
    }
    np.testing.assert_array_equal(mended, expected.get(kind, IMAGES[:90]))
    assert mended.dtype == np.uint8


@pytest.mark.parametrize("kind", CLASSES)
def test_the_refusal_of_labels_gives_the_line_that_mends_them(tmp_path, kind: str) -> None:
    array, line = CLASSES[kind]
    with pytest.raises(UsageError) as refused:
        load_user_data(save(tmp_path, train_labels=array))
    assert line in str(refused.value)
    np.testing.assert_array_equal(eval(line, {"np": np, "train_labels": array}), LABELS[:90])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"train_images": IMAGES[:90].astype(np.float32) * 3 - 40}, "-40 to .*before they were normalised.*BLACK"),
        ({"train_images": IMAGES[:90] > 9}, r"dtype bool .take train_images.astype\(np.uint8\) \* 255"),
        ({"train_images": IMAGES[:90] * 1j}, "dtype complex128; allowed: uint8"),
        ({"train_labels": LABELS[:90] + 0.5}, "dtype float64; allowed: integers"),
        ({"train_labels": LABELS[:90] > 0}, r"dtype bool .whole numbers: take train_labels.astype\(np.int64\)"),
        ({"train_labels": np.array(["a", "b", "c"])[LABELS[:90]]}, r"class_names = np.unique\(train_labels\)"),
        ({"test_labels": np.eye(3)[LABELS[90:]]}, r"test_labels of .*take test_labels.argmax"),
        ({"test_labels": LABELS[90:] + 1}, "holds the label 3; allowed: 0 to 2; they begin at 1: take test_labels - 1"),
        ({"train_labels": LABELS[:90] * 40}, "class '1' .1., .* has no training images"),
        ({"x_train": IMAGES[:90]}, "holds both train_images and x_train; allowed: one of them"),
    ],
)
def test_and_says_what_it_is_where_no_line_can_know(tmp_path, arrays, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_user_data(save(tmp_path, **arrays))


def test_messages_use_the_name_that_the_user_gave(tmp_path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, X_train=IMAGES[:90] / 255, y_train=LABELS[:90], X_test=IMAGES[90:], y_test=LABELS[90:])
    with pytest.raises(UsageError, match=r"X_train of .*np.rint\(X_train \* 255\)"):
        load_user_data(str(path))
    np.savez(path, X_train=IMAGES[:90], y_train=LABELS[:90], X_test=IMAGES[90:], y_test=LABELS[90:])
    assert load_user_data(str(path))[0].images.shape == (90, 12, 10, 1)
    path = tmp_path / "other.npz"
    np.savez(path, X=IMAGES, y=LABELS)
    with pytest.raises(
        UsageError, match=r"holds X, y; allowed: train_images.*np.savez_compressed\('data.npz', images="
    ):
        load_user_data(str(path))


class _Bomb:
    def __reduce__(self):
        return (Path.touch, (Path("exploded"),))


def test_a_pickle_is_never_opened(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "data.npz"
    path.write_bytes(pickle.dumps(_Bomb()))
    with pytest.raises(UsageError, match="pickles are never opened"):
        load_user_data(str(path))
    np.savez("data.npz", train_images=np.array([_Bomb()], dtype=object))
    with pytest.raises(UsageError, match="pickles are never opened"):
        load_user_data(str(path))
    assert not Path("exploded").exists()


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_corrupt_file_is_an_environment_problem(tmp_path, damage: str) -> None:
    path = Path(save(tmp_path))
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[5000] ^= 255
    path.write_bytes({"cut": content[:5000], "flip": content, "empty": b""}[damage])
    with pytest.raises(EnvironmentProblem, match=r"corrupt .*np.savez_compressed"):
        load_user_data(str(path))


def test_missing_files_and_other_endings() -> None:
    with pytest.raises(EnvironmentProblem, match=r"there is no nowhere\.npz; allowed: a \.npz file, a folder"):
        load_user_data("nowhere.npz")
    with pytest.raises(UsageError, match=r"ends in '.py'; allowed: a .npz file"):
        load_user_data(__file__)
    with pytest.raises(UsageError, match=r"data\.source is empty; name your data with --data"):
        load_user_data("")


LOADERS = """
import numpy as np
import sys
images = np.random.default_rng(0).integers(0, 256, (120, 12, 10, 1)).astype(np.uint8)
labels = np.arange(120) % 3
def keras_style():
    print("loading")
    return (images[:90], labels[:90]), (images[90:], labels[90:])
def named(): return {"images": images, "labels": labels, "class_names": ["x", "y", "z"]}
def alone(): return images
def three(): return images, labels, 3
def objects(): return {"images": [images, None], "labels": labels}
def fails(): raise KeyError("no such column")
def leaves(): sys.exit("bye")
constant = 3
"""


@pytest.fixture
def loaders(tmp_path, monkeypatch) -> str:
    # A module name of its own for every test: this process keeps what it has imported.
    name = f"loaders_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(LOADERS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return name


def test_functions_may_return_keras_tuples_or_names(loaders: str) -> None:
    train, test, names = load_user_data(f"{loaders}:keras_style")
    assert (len(train.images), len(test.images), names) == (90, 30, ("0", "1", "2"))
    assert load_user_data(f"{loaders}:named")[2] == ("x", "y", "z")
    assert load_user_pool(f"{loaders}:alone").shape == (120, 12, 10, 1)
    assert loaders not in sys.modules


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("three", "returned a tuple; allowed: ..train_images, train_labels"),
        ("objects", "returned"),
        ("fails", "failed: KeyError: 'no such column', loaders_.* line"),
        ("leaves", "failed: SystemExit: bye"),
        ("constant", "has no function 'constant'"),
        ("keras_stile", "did you mean 'keras_style'"),
    ],
)
def test_functions_that_fail_are_named_with_their_line(loaders: str, function: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_user_data(f"{loaders}:{function}")


def test_a_module_that_is_not_there_says_where_it_was_looked_for(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with pytest.raises(UsageError, match=f"cannot import 'nowhere'.*{tmp_path}.*PYTHONPATH"):
        load_user_data("nowhere:load")


def test_the_data_are_pinned_and_split(tmp_path) -> None:
    source = save(tmp_path)
    config = DataConfig(name="user", source=source, validation_images=0)
    dataset = load_dataset(config)
    assert [len(part.images) for part in (dataset.train, dataset.validation, dataset.test)] == [81, 9, 30]
    pinned = DataConfig(name="user", source=source, validation_images=0, sha256=dataset.digest)
    assert load_dataset(pinned).digest == dataset.digest
    with pytest.raises(EnvironmentProblem, match="not those that the run was started with"):
        load_dataset(DataConfig(name="user", source=source, validation_images=0, sha256="0" * 64))


def test_a_class_that_validation_uses_up_is_named(tmp_path) -> None:
    labels = np.concatenate([[2], LABELS[1:90] % 2])
    source = save(tmp_path, train_labels=labels)
    with pytest.raises(UsageError, match="no training image of class '2' is left beside 80 validation images"):
        load_dataset(DataConfig(name="user", source=source, validation_images=80))


def test_a_source_without_the_name_user_is_refused() -> None:
    with pytest.raises(UsageError, match=r"data\.source is for data.name = 'user'; it is 'fashion_mnist'"):
        DataConfig(source="x.npz")


def test_query_pools_fit_the_victim_and_are_not_its_own_images(tmp_path) -> None:
    dataset = load_dataset(DataConfig(name="user", source=save(tmp_path), validation_images=0))
    foreign = RNG.integers(0, 256, (40, 12, 10, 1)).astype(np.uint8)
    path = tmp_path / "pool.npz"
    np.savez(path, pool=np.concatenate([foreign, foreign]))
    pool = query_pool(str(path))
    assert pool.threat_class == "T1"
    assert pool.load(dataset).shape == (40, 12, 10, 1)
    open_user_pool.cache_clear()
    np.savez(path, pool=foreign[:, :8])
    with pytest.raises(UsageError, match="has images of 8x10x1, the victim takes 12x10x1"):
        pool.load(dataset)
    open_user_pool.cache_clear()
    np.savez(path, pool=np.concatenate([foreign, IMAGES[:7]]))
    with pytest.raises(UsageError, match=r"7 of the 47 images .* are also the victim's own.*in_distribution"):
        pool.load(dataset)
    open_user_pool.cache_clear()
    np.savez(path, one=foreign, two=foreign)
    with pytest.raises(UsageError, match="holds one, two; allowed: images"):
        pool.load(dataset)
    with pytest.raises(UsageError, match=r"unknown query pool 'animals' .*known: animal_mnist, in_distribution"):
        query_pool("animals")


def test_arrays_that_nobody_uses_and_copies_are_named_with_a_count(tmp_path) -> None:
    source = save(tmp_path, x_val=IMAGES[:7], images=IMAGES[:5], class_names=np.array(["a", "b", "c"]))
    assert open_user_data(source).left_out == ("the arrays x_val (7 entries), images (5 entries)",)
    np.savez(tmp_path / "pool.npz", images=np.concatenate([IMAGES, IMAGES[:9]]), labels=np.arange(129))
    pool = open_user_pool(str(tmp_path / "pool.npz"))
    assert len(pool.images) == 120
    assert pool.left_out == ("the arrays labels (129 entries)", "9 of 129 images, copies of the others")


def test_no_message_names_the_file_that_a_function_s_arrays_come_through(loaders: str, monkeypatch) -> None:
    monkeypatch.setenv("TINYCERB_MEMORY_GB", "0.00001")
    with pytest.raises(UsageError, match=rf"^{loaders}:keras_style would take"):
        load_user_data(f"{loaders}:keras_style")
