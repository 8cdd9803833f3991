"""Files of other origin: what fits goes through with all its bytes, what does not hears why, and the way out."""

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.firmware.flatbuffer_model import FlatModel
from tinycerb.conversion.from_tflite import convert_tflite
from tinycerb.conversion.options import ConversionOptions
from tinycerb.converters.c_model.errors import UnsupportedModelError
from tinycerb.converters.c_model.model import lower_model
from tinycerb.converters.fold_shapes import OpenShapeError, fold_shapes
from tinycerb.converters.foreign import ForeignModelError, adopt
from tinycerb.converters.model_file import parse_model
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.keras_models.legacy import keras

RUN = """
import sys
from pathlib import Path
import numpy as np
from tinycerb.runtimes.engines import flatbuffer_interpreter
for path in sys.argv[1:]:
    found = flatbuffer_interpreter(Path(path).read_bytes(), "tflite-runtime", "reference")
    image, answer = found.get_input_details()[0], found.get_output_details()[0]
    for seed in range(20):
        codes = np.random.default_rng(seed).integers(-128, 128, image["shape"], dtype=np.int8)
        found.set_tensor(image["index"], codes)
        found.invoke()
        print(found.get_tensor(answer["index"]).tolist(), end=" ")
    print()
"""


def convert(converter: Any, kind: str, shape: tuple[int, ...] = (8, 8, 1)) -> bytes:
    """As people convert: `int8`, `uint8` and `float` ends around int8, `dynamic` range, or `unquantized`."""
    rng = np.random.default_rng(1)
    if kind != "unquantized":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind in ("int8", "uint8", "float"):
        converter.representative_dataset = lambda: ([rng.random((1, *shape)).astype(np.float32)] for _ in range(10))
    if kind in ("int8", "uint8"):
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = getattr(tf, kind)
    with warnings.catch_warnings():
        # What a converter has to remark about its own use.
        warnings.simplefilter("ignore")
        return converter.convert()


@pytest.fixture(scope="module")
def network() -> keras.Model:
    layers = keras.layers
    return keras.Sequential([layers.Input((8, 8, 1)), layers.Flatten(), layers.Dense(24), layers.Dense(3)])


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("uint8", "uint8.*it computes in int8, its ends alone are uint8: convert it with inference_input_type = "),
        ("float", "float32.*it computes in int8, its ends alone are float32: convert it with inference_input_type"),
        ("dynamic", r"float32.*its weights are int8, but it computes in floats \(dynamic range\): .*representative_da"),
        ("unquantized", r"float32.*it is not quantized: convert it with optimizations = .*representative_dataset"),
    ],
)
def test_files_that_are_not_int8_from_end_to_end_are_told_apart(network, kind: str, told: str) -> None:
    content = convert(tf.lite.TFLiteConverter.from_keras_model(network), kind)
    with pytest.raises(ForeignModelError, match=told):
        adopt(parse_model(content))
    with pytest.raises(UnsupportedModelError, match=told):
        lower_model(parse_model(content))


def ends(*inputs: list[int], output: list[int]) -> bytes:
    """One ADD or RELU between int8 ends of these shapes; nothing runs it."""
    flat = FlatModel()
    given = [flat.tensor(shape, [0.1], [0]) for shape in inputs]
    result = flat.tensor(output, [0.1], [0])
    return flat.finish(given, flat.operator("ADD" if inputs[1:] else "RELU", given, result))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (ends([1, 4], [1, 4], output=[1, 4]), r"has 2 inputs \(int8 \[1, 4\], int8 \[1, 4\]\); expected one input"),
        (ends([1, 2, 2, 2, 1], output=[1, 8]), r"input has the shape \[1, 2, 2, 2, 1\]; expected \[1, height, width"),
        (ends([1, 4], output=[1, 1, 1, 4]), r"output has the shape \[1, 1, 1, 4\]; expected \[1, classes\]: end the"),
        (ends([7, 4], output=[7, 4]), r"input is a batch of 7 \(int8 \[7, 4\]\); expected 1: .*batch_size=1"),
    ],
)
def test_a_wrong_shape_or_count_is_no_wrong_type(content: bytes, told: str) -> None:
    with pytest.raises(ForeignModelError, match=told) as error:
        adopt(parse_model(content))
    assert "inference_input_type" not in str(error.value)


def test_two_int8_inputs_are_not_told_to_be_int8() -> None:
    with pytest.raises(UnsupportedModelError, match=r"inputs are int8\[1, 4\], int8\[1, 4\]; expected one") as error:
        lower_model(parse_model(ends([1, 4], [1, 4], output=[1, 4])))
    assert "inference_input_type" not in str(error.value)


def with_open_batch(kernel: np.ndarray, rows: Callable[[Any], Any]) -> bytes:
    def classify(x):
        return tf.matmul(tf.reshape(x, [rows(x), 64]), tf.constant(kernel))

    function = tf.function(classify, input_signature=[tf.TensorSpec([None, 8, 8, 1], tf.float32)])
    return convert(tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()]), "int8")


def test_a_reshape_by_an_open_batch_is_folded_to_the_same_bytes(tmp_path, run_child) -> None:
    kernel = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
    content = with_open_batch(kernel, lambda x: tf.shape(x)[0])
    before, after = parse_model(content), parse_model(adopt(parse_model(content)))
    assert [operator.name for operator in before.operators][:4] == ["SHAPE", "STRIDED_SLICE", "PACK", "RESHAPE"]
    assert [operator.name for operator in after.operators] == ["RESHAPE", "FULLY_CONNECTED"]
    with pytest.raises(UnsupportedModelError, match=r"SHAPE.*batch was left open: tinycerb convert folds its shape"):
        lower_model(before)
    assert len(lower_model(after).layers) == 1
    for name, file in (("before", before), ("after", after)):
        (tmp_path / name).write_bytes(file.content)
    one, other = run_child(RUN, tmp_path / "before", tmp_path / "after").splitlines()
    assert one == other
    assert len(set(one.split())) > 20


def test_a_shape_that_only_running_tells_names_the_way_out() -> None:
    flat = FlatModel()
    image = flat.tensor([2, 4], [0.1], [0])
    shape = flat.operator("SHAPE", [image], flat.tensor([2]), "ShapeOptions", {"OutType": 2})
    content = flat.finish([image], flat.operator("RESHAPE", [image, shape], flat.tensor([2, 4], [0.1], [0])))
    with pytest.raises(
        OpenShapeError, match=r"asks for a shape of \[2, 4\] while it runs; .*Input\(shape, batch_size=1"
    ):
        fold_shapes(content)


def with_constant(operator: str, shape: list[int], options: str) -> bytes:
    """An operator that reads an image of four values and a constant."""
    flat = FlatModel()
    image = flat.tensor([1, 4], [0.1], [0], name="image")
    other = flat.tensor(shape, [0.1], [0], np.ones(shape, np.int8))
    return flat.finish([image], flat.operator(operator, [image, other], flat.tensor([1, 3], [0.1], [0]), options))


def test_no_temporary_path_stands_in_a_message(tmp_path: Path) -> None:
    """Shapes that no runtime adds."""
    path = tmp_path / "wrong.tflite"
    path.write_bytes(with_constant("ADD", [1, 3], "AddOptions"))
    with pytest.raises(EnvironmentProblem, match="cannot run the file: ") as error:
        convert_tflite(path, tmp_path / "out", ConversionOptions())
    assert tempfile.gettempdir() not in str(error.value)


def test_a_file_that_answers_another_shape_than_it_promises_is_named(tmp_path: Path) -> None:
    path = tmp_path / "wrong.tflite"
    path.write_bytes(with_constant("FULLY_CONNECTED", [3, 5], "FullyConnectedOptions"))
    with pytest.raises(UsageError, match=r"answers 0 bytes to 4 images; its shapes promise 3 each.*tinycerb flash"):
        convert_tflite(path, tmp_path / "out", ConversionOptions())
