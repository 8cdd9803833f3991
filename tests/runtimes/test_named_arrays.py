"""Names of tensors come from other people's files: on the way to a runtime they mean nothing."""

from pathlib import Path

import numpy as np

from tests.firmware.flatbuffer_model import FlatModel
from tinycerb.runtimes.isolated import run_model
from tinycerb.runtimes.named_arrays import pack_arrays, unpack_arrays

NAMES = ("file", "args", "", "a/b", "../c", "arr_0", "x\0y", "\ufffd\u202e", "n" * 70_000)


def test_any_name_comes_back() -> None:
    arrays = {name: np.full((2, 3), place, np.int8) for place, name in enumerate(NAMES)}
    back = unpack_arrays(pack_arrays(arrays))
    assert list(back) == list(NAMES)
    assert all((back[name] == arrays[name]).all() and back[name].dtype == np.int8 for name in NAMES)


def test_a_file_whose_tensors_have_such_names_runs(tmp_path: Path) -> None:
    flat = FlatModel()
    source = flat.tensor([1, 4], [0.1], [0], name="file")
    result = flat.operator("RELU", [source], flat.tensor([1, 4], [0.1], [0], name="args/../file"))
    (tmp_path / "odd.tflite").write_bytes(flat.finish([source], result))
    inputs = {"file": np.array([[[-3, 0, 1, 2]]], np.int8)}
    answer = run_model(tmp_path / "odd.tflite", inputs, "tflite-runtime").outputs["args/../file"]
    assert answer.tolist() == [[[0, 0, 1, 2]]]
