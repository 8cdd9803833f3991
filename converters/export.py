"""Quantization-aware backbone plus heads to one int8 .tflite with a head-selection input."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from converters.compact import compact
from converters.metadata import embed_metadata
from converters.wide_head import Head, WideHead, widen


class _Selectable(tf.Module):
    """Backbone, wide head, and the choice of one head by index."""

    def __init__(self, backbone: Callable[..., tf.Tensor], wide: WideHead, fake_quantize: bool) -> None:
        super().__init__()
        # The module must own the backbone, or its variables are not found by the converter.
        self.backbone = backbone
        self._wide = wide
        self._fake_quantize = fake_quantize

    def logits(self, image: tf.Tensor, head: tf.Tensor) -> dict[str, tf.Tensor]:
        wide = self._wide
        features = self.backbone(image, training=False)
        if wide.hidden is not None:
            hidden = tf.nn.relu(self._dense(features, wide.hidden.kernel, wide.hidden.bias))
            features = self._ranged(hidden, 0.0, wide.hidden.output_range)
        outputs = self._dense(features, wide.kernel, wide.bias)
        outputs = self._ranged(outputs, -wide.output_range, wide.output_range)
        # A batch of one, so that the rows can be the heads.
        rows = tf.reshape(outputs, [len(wide.alphas), wide.classes])
        return {"logits": tf.gather(rows, head)}

    def _dense(self, inputs: tf.Tensor, kernel: np.ndarray, bias: np.ndarray) -> tf.Tensor:
        largest = float(abs(kernel).max())
        return tf.matmul(inputs, self._ranged(kernel, -largest, largest, narrow_range=True)) + bias

    def _ranged(self, values: tf.Tensor | np.ndarray, low: float, high: float, narrow_range: bool = False) -> tf.Tensor:
        """Tells the converter a range; without fake quantization it finds its own on calibration images."""
        if not self._fake_quantize:
            return tf.convert_to_tensor(values)
        return tf.quantization.fake_quant_with_min_max_args(values, low, high, narrow_range=narrow_range)


def export_int8(
    backbone: Callable[..., tf.Tensor],
    heads: Sequence[Head],
    image_shape: tuple[int, int, int],
    facts: Mapping[str, Any],
    calibration: np.ndarray | None = None,
) -> tuple[bytes, dict[str, Any]]:
    """Converts to a full-int8 file with builtin operators only.

    Args:
        backbone: a Keras model from float images [1, height, width, channels] in 0..1 to features [1, features]:
            quantization-aware, or plain with `calibration`.
        heads: the heads that stand on it.
        image_shape: height, width and channels.
        facts: what else the file should say about itself; plain JSON values.
        calibration: images to measure activation ranges on, float32 [N, height, width, channels] in 0..1.

    Returns:
        The file's bytes, and the metadata that is embedded in it under the name `tinycerb`: `facts` plus `heads`,
        `classes` and `alphas`. Inputs are `image` (int8) and `head` (int32 [1]), the output is `logits`
        (int8 [1, classes]): the selected head's logits times its alpha.
    """
    wide = widen(heads)
    converter = _converter(_Selectable(backbone, wide, fake_quantize=calibration is None), image_shape)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    if calibration is not None:
        samples = [{"image": image[np.newaxis], "head": np.zeros(1, np.int32)} for image in calibration]
        converter.representative_dataset = lambda: iter(samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    metadata = {**facts, "heads": len(heads), "classes": wide.classes, "alphas": list(wide.alphas)}
    return embed_metadata(compact(converter.convert()), metadata), metadata


def export_float(backbone: Callable[..., tf.Tensor], heads: Sequence[Head], image_shape: tuple[int, int, int]) -> bytes:
    """Converts the same graph in float32, to compare an int8 file with layer by layer.

    Args:
        backbone: a plain Keras model, as for `export_int8`.
        heads: the heads that stand on it.
        image_shape: height, width and channels.
    """
    return compact(_converter(_Selectable(backbone, widen(heads), fake_quantize=False), image_shape).convert())


def _converter(module: _Selectable, image_shape: tuple[int, int, int]) -> Any:
    signature = [tf.TensorSpec([1, *image_shape], tf.float32, "image"), tf.TensorSpec([1], tf.int32, "head")]
    function = tf.function(module.logits, input_signature=signature)
    return tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], module)
