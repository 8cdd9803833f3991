"""Files of networks that ask for more memory than there is: refused before anything of that size is made."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.keras_models.test_keras_file import backbone, quantized, save
from tinycerb.conversion.from_keras_file import convert_keras_file
from tinycerb.conversion.options import ConversionOptions
from tinycerb.errors import UsageError
from tinycerb.events import ignore
from tinycerb.keras_models.keras_file import KerasFileError, TooLargeError, open_keras_file
from tinycerb.keras_models.legacy import keras
from tinycerb.keras_models.model_optimization import tfmot
from tinycerb.training.model_source import load_user_model

LIMIT = 2**28


def claims(file: Any) -> None:
    """An array of 4 TB, none of it on the disk."""
    file["model_weights"].create_dataset("claimed", (10**12,), "f4", chunks=(2**20,))


def repeats(file: Any) -> None:
    """One array of 4 MB, a hundred times."""
    group = file["model_weights"].create_group("again")
    group.create_dataset("kernel", (2**20,), "f4", chunks=(2**20,))
    group.attrs["weight_names"] = [b"kernel"] * 100


def texts(file: Any) -> None:
    file["model_weights"].create_dataset("texts", data=["x" * 100] * 3)


def filters(number: int) -> Callable[[Any], None]:
    """A convolution with so many filters, in a few bytes of JSON."""

    def ask(file: Any) -> None:
        described: dict[str, Any] = json.loads(file.attrs["model_config"])
        layers = described["config"]["layers"]
        next(layer for layer in layers if layer["class_name"] == "Conv2D")["config"]["filters"] = number
        file.attrs["model_config"] = json.dumps(described)

    return ask


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (claims, r"holds 3,814,697 MiB of weights, where 256 are allowed"),
        (repeats, "holds 400 MiB of weights, where 256 are allowed"),
        (texts, "whose elements have no fixed size"),
        (filters(2_000_000_000), r"describes [\d,]+ MiB of weights, where 256 are allowed"),
        (filters(2**62), "of weights, where 256|cannot be loaded"),
    ],
)
def test_hdf5(tmp_path, monkeypatch, ask: Callable[[Any], None], message: str) -> None:
    path = save(backbone(), tmp_path / "model.h5")
    with h5py.File(path, "r+") as file:
        ask(file)
    with pytest.raises(KerasFileError, match=message):
        open_keras_file(path, most_bytes=LIMIT)
    monkeypatch.setenv("TINYCERB_MEMORY_GB", "0.25")
    with pytest.raises(UsageError, match=message):
        load_user_model(str(path))
    with pytest.raises(UsageError, match=message):
        convert_keras_file(path, tmp_path / "out", ConversionOptions(), ignore)


def test_an_attribute_of_many_texts_is_no_architecture(tmp_path) -> None:
    path = save(backbone(), tmp_path / "model.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = ["x" * 2000] * 20
    with pytest.raises(KerasFileError, match="model_config is not one text"):
        open_keras_file(path, most_bytes=LIMIT)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_an_archive_that_unpacks_to_gigabytes(tmp_path, method: int) -> None:
    path = save(backbone(), tmp_path / "model.keras")
    with zipfile.ZipFile(path, "a", method) as file, file.open("large", "w") as member:
        for _ in range(300 if method == zipfile.ZIP_DEFLATED else 1):
            member.write(bytes(2**20))
    assert path.stat().st_size < 2**20
    with pytest.raises(TooLargeError, match=r"of weights, where 256 are allowed|a method that Keras does not use"):
        open_keras_file(path, most_bytes=LIMIT)


@pytest.mark.parametrize("ending", [".h5", ".keras", ""])
def test_a_sound_network_is_opened_and_nothing_drawn_changes(tmp_path, ending: str) -> None:
    path = save(backbone(), Path(tmp_path, f"model{ending}"))
    drawn = []
    for most in (LIMIT, float("inf")):
        keras.backend.reset_uids()
        keras.utils.set_random_seed(4)
        opened = open_keras_file(path, most_bytes=most)
        after = keras.layers.Dense(3)
        after.build((None, 5))
        drawn.append((opened.get_weights(), after.name, after.get_weights()[0]))
    for one, other in zip(drawn[0][0], drawn[1][0], strict=True):
        np.testing.assert_array_equal(one, other)
    assert drawn[0][1] == drawn[1][1]
    np.testing.assert_array_equal(drawn[0][2], drawn[1][2])


def test_a_quantization_aware_network_is_counted_as_well(tmp_path) -> None:
    path = save(quantized(), tmp_path / "model.h5")
    with tfmot.quantization.keras.quantize_scope():
        needed = 4 * open_keras_file(path, most_bytes=LIMIT).count_params()
        with pytest.raises(TooLargeError, match="of weights, where"):
            open_keras_file(path, most_bytes=needed // 2)
