"""Makes the doctor's bundled model: `python -m tinycerb.doctor.make_tiny_model`."""

from pathlib import Path

import numpy as np
import tensorflow as tf


def main() -> None:
    """Writes one int8 dense layer, 4 inputs and 2 outputs, to `tiny.tflite` beside this file."""
    kernel = tf.constant([[1.0, -1.0], [0.5, 0.25], [-0.5, 1.0], [0.0, 0.75]])
    function = tf.function(lambda x: tf.matmul(x, kernel), input_signature=[tf.TensorSpec([1, 4], tf.float32)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    rng = np.random.default_rng(0)
    samples = [[rng.random((1, 4), np.float32)] for _ in range(20)]
    converter.representative_dataset = lambda: samples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    Path(__file__).with_name("tiny.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    main()
