"""Heads of very different gain share one layer without losing resolution, in both layouts; a plain CONCAT does not."""

import numpy as np
import pytest

from tinycerb.compression.quantization import quantize_aware
from tinycerb.converters.export import export_int8
from tinycerb.converters.head_layout import choose_layout, head_errors
from tinycerb.converters.metadata import read_metadata
from tinycerb.converters.model_file import parse_model
from tinycerb.converters.wide_head import Head, widen
from tinycerb.keras_models.layers import conv_block
from tinycerb.keras_models.legacy import keras

GAINS = (1.0, 20.0, 0.05, 3.0)
FEATURES, CLASSES = 16, 10
MOST_ERROR = 1.0

# Features and logits of all heads, as the file computes them from the same images.
TABLES = """
import sys
import numpy as np
from pathlib import Path
from tinycerb.converters.model_file import read_model_file
from tinycerb.runtimes.engines import flatbuffer_interpreter
file = read_model_file(Path(sys.argv[1]))
engine = flatbuffer_interpreter(file.content, "tflite-runtime", "reference", experimental_preserve_all_tensors=True)
features = next(operator.outputs[0] for operator in file.operators if operator.name == "MEAN")
table = next(operator for operator in file.operators if operator.name == "GATHER").inputs[0]
found = []
for image in np.random.default_rng(5).integers(-128, 128, (200, 1, 16, 16, 1)).astype(np.int8):
    engine.set_tensor(file.inputs["image"].index, image)
    engine.set_tensor(file.inputs["head"].index, np.zeros(1, np.int32))
    engine.invoke()
    found.append([engine.get_tensor(tensor.index) for tensor in (features, table)])
real = [
    (np.stack([row[k] for row in found]).astype(float) - tensor.zero_points[0]) * tensor.scales[0]
    for k, tensor in enumerate((features, table))
]
np.savez(sys.argv[2], features=real[0].reshape(len(found), -1), table=real[1], step=table.scales[0])
"""


@pytest.fixture(scope="module")
def backbone():
    keras.utils.set_random_seed(3)
    image = keras.layers.Input((16, 16, 1), name="image")
    x = conv_block(image, FEATURES, kernel=3, stride=2, name="stem")
    model = quantize_aware(keras.Model(image, keras.layers.GlobalAveragePooling2D(name="features")(x)))
    # Ranges settle on what the features really are.
    for _ in range(3):
        model(np.random.default_rng(1).random((64, 16, 16, 1), np.float32), training=True)
    return model


def heads_of(gains, features: np.ndarray) -> list[Head]:
    """Random heads, each with the range that its logits have on real features."""
    rng = np.random.default_rng(2)
    heads = []
    for gain in gains:
        kernel = gain * rng.normal(size=(FEATURES, CLASSES)).astype(np.float32)
        bias = gain * rng.normal(size=CLASSES).astype(np.float32)
        heads.append(Head(kernel, bias, float(np.abs(features @ kernel + bias).max() * 1.1)))
    return heads


@pytest.fixture(scope="module")
def features(backbone) -> np.ndarray:
    return backbone(np.random.default_rng(4).random((200, 16, 16, 1), np.float32), training=False).numpy()


def measured_errors(content: bytes, heads, alphas, run_child, folder) -> np.ndarray:
    """Per head: largest difference to the float head on the file's own features, in steps of the head's logits."""
    (folder / "model.tflite").write_bytes(content)
    run_child(TABLES, folder / "model.tflite", folder / "tables.npz")
    found = np.load(folder / "tables.npz")
    errors = []
    for index, (head, alpha) in enumerate(zip(heads, alphas, strict=True)):
        exact = found["features"] @ head.kernel + head.bias
        step = 2 * head.output_range / 255
        errors.append(np.abs(found["table"][:, index] / alpha - exact).max() / step)
    return np.array(errors)


@pytest.mark.parametrize("layout", ["fully_connected", "convolution"])
def test_every_head_keeps_its_resolution(layout, backbone, features, run_child, tmp_path) -> None:
    heads = heads_of(GAINS, features)
    content = export_int8(backbone, heads, (16, 16, 1), {}, layout)
    metadata = read_metadata(parse_model(content)) or {}
    errors = measured_errors(content, heads, metadata["alphas"], run_child, tmp_path)
    assert (errors <= MOST_ERROR).all(), errors
    assert metadata["head_layout"] == layout
    operators = [operator.name for operator in parse_model(content).operators]
    assert operators[-1] == "GATHER"
    assert ("FULLY_CONNECTED" in operators) == (layout == "fully_connected")


def test_a_plain_concatenation_fails(backbone, features, run_child, tmp_path) -> None:
    """What TensorFlow makes of heads side by side, each with its own range: no warning, one scale for all."""
    import tensorflow as tf

    heads = heads_of(GAINS, features)

    class Plain(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = backbone

        def logits(self, image, head):
            found = self.backbone(image, training=False)
            quantize = tf.quantization.fake_quant_with_min_max_args
            rows = []
            for one in heads:
                largest = float(np.abs(one.kernel).max())
                kernel = quantize(one.kernel, -largest, largest, narrow_range=True)
                rows.append(quantize(tf.matmul(found, kernel) + one.bias, -one.output_range, one.output_range))
            return {"logits": tf.gather(tf.concat(rows, axis=0), head)}

    module = Plain()
    ends = [tf.TensorSpec([1, 16, 16, 1], tf.float32, "image"), tf.TensorSpec([1], tf.int32, "head")]
    function = tf.function(module.logits, input_signature=ends).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    errors = measured_errors(converter.convert(), heads, (1, 1, 1, 1), run_child, tmp_path)
    assert errors.max() > 100, errors
    assert (errors > MOST_ERROR).sum() >= 2, errors


def test_the_smaller_layer_is_taken_where_it_is_as_good(features) -> None:
    choice = choose_layout(widen(heads_of(GAINS, features)), features)
    assert choice.layout == "fully_connected"
    assert max(choice.errors["convolution"]) <= MOST_ERROR
    assert "fully_connected 0." in choice.sentence()


def test_heads_whose_weights_differ_take_the_convolution(backbone, features, run_child, tmp_path) -> None:
    """One head's large weights cancel each other out, so that the scale which they need is too coarse for the other."""
    small = heads_of([1.0], features)[0]
    kernel = np.zeros((FEATURES, CLASSES), np.float32)
    # On features that do not differ, weights of +w and -w give almost nothing.
    kernel[::2], kernel[1::2] = 60.0, -60.0
    bias = (-features @ kernel).mean(axis=0)
    wild = Head(kernel, bias, float(np.abs(features @ kernel + bias).max()))
    spread = wild.output_range / small.output_range
    heads = [small, Head(kernel / spread * 20, bias / spread * 20, small.output_range)]
    choice = choose_layout(widen(heads), features)
    assert choice.layout == "convolution"
    assert choice.errors["fully_connected"][0] > 1.5 > MOST_ERROR >= choice.errors["convolution"][0]
    content = export_int8(backbone, heads, (16, 16, 1), {}, choice.layout)
    metadata = read_metadata(parse_model(content)) or {}
    assert measured_errors(content, heads, metadata["alphas"], run_child, tmp_path)[0] <= MOST_ERROR


def test_the_arithmetic_foretells_the_file(backbone, features, run_child, tmp_path) -> None:
    heads = heads_of((1.0, 4.0), features)
    foretold = head_errors(widen(heads), features, "fully_connected")
    content = export_int8(backbone, heads, (16, 16, 1), {}, "fully_connected")
    metadata = read_metadata(parse_model(content)) or {}
    found = measured_errors(content, heads, metadata["alphas"], run_child, tmp_path)
    assert np.allclose(foretold, found, atol=0.15), (foretold, found)
