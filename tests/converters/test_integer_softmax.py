"""Our integer softmax against TFLite's own reference kernel."""

import numpy as np
import pytest
import tensorflow as tf

from tinycerb.converters.integer_softmax import quantize_multiplier, softmax_codes

CASES = [(10, 0.05), (10, 0.2), (2, 0.01), (43, 0.11), (100, 0.9), (3, 3.0)]

RUN_SOFTMAX = """
import sys
import numpy as np
from tflite_runtime.interpreter import Interpreter, OpResolverType
model = Interpreter(sys.argv[1], num_threads=1, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
model.allocate_tensors()
(given,), (wanted,) = model.get_input_details(), model.get_output_details()
answers = []
for row in np.load(sys.argv[2]):
    model.set_tensor(given["index"], row[np.newaxis])
    model.invoke()
    answers.append(model.get_tensor(wanted["index"])[0])
np.save(sys.argv[3], np.array(answers))
"""


def softmax_file(classes: int, scale: float) -> tuple[bytes, float]:
    """Makes an int8 model of one softmax whose input scale is about `scale`; returns it with the exact scale."""
    spec = tf.TensorSpec([1, classes], tf.float32)
    function = tf.function(tf.nn.softmax, input_signature=[spec])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    extreme = np.full((1, classes), 127.5 * scale, np.float32)
    extreme[0, 0] *= -1
    converter.representative_dataset = lambda: [[extreme]]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    content = converter.convert()
    interpreter = tf.lite.Interpreter(model_content=content)
    return content, interpreter.get_input_details()[0]["quantization"][0]


@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning")
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated.*:UserWarning")
@pytest.mark.parametrize(("classes", "scale"), CASES)
def test_same_bytes_as_the_reference_kernel(tmp_path, run_child, classes: int, scale: float) -> None:
    content, exact_scale = softmax_file(classes, scale)
    rng = np.random.default_rng(classes)
    spread = rng.integers(1, 128, (2000, 1))
    logits = np.clip(np.rint(rng.normal(0, spread, (2000, classes))), -128, 127).astype(np.int8)
    logits[:3] = [[127] * classes, [-128] * classes, [127] + [-128] * (classes - 1)]
    (tmp_path / "softmax.tflite").write_bytes(content)
    np.save(tmp_path / "logits.npy", logits)
    run_child(RUN_SOFTMAX, *(tmp_path / name for name in ("softmax.tflite", "logits.npy", "codes.npy")))
    expected = np.load(tmp_path / "codes.npy").astype(int) + 128
    assert (softmax_codes(logits, exact_scale) != expected).sum() == 0


def test_codes_mean_probabilities() -> None:
    logits = np.random.default_rng(0).integers(-128, 128, (500, 10)).astype(np.int8)
    exact = np.exp(logits * 0.03) / np.exp(logits * 0.03).sum(axis=1, keepdims=True)
    assert np.abs(softmax_codes(logits, 0.03) / 256 - exact).max() <= 0.75 / 256


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_a_scale_must_be_positive(scale: float) -> None:
    with pytest.raises(ValueError, match="scale is"):
        softmax_codes(np.zeros((1, 2), np.int8), scale)


def test_quantize_multiplier() -> None:
    assert quantize_multiplier(0.0) == (0, 0)
    assert quantize_multiplier(1.0) == (2**30, 1)
    for value in (0.3, 7.7, 1e-5, 12345.6):
        multiplier, shift = quantize_multiplier(value)
        assert 2**30 <= multiplier < 2**31
        assert multiplier / 2**31 * 2.0**shift == pytest.approx(value, rel=1e-9)
