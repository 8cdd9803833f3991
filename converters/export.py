"""Backbone plus heads to one int8 .tflite with a head-selection input."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from converters.compact import compact
from converters.conv_head import convolution_logits
from converters.metadata import embed_metadata
from converters.wide_head import Head, WideHead, widen

FULLY_CONNECTED = "fully_connected"


def _fake_quantized_dense(inputs: tf.Tensor, kernel: np.ndarray, bias: np.ndarray) -> tf.Tensor:
    largest = float(abs(kernel).max())
    coarse = tf.quantization.fake_quant_with_min_max_args(kernel, -largest, largest, narrow_range=True)
    return tf.matmul(inputs, coarse) + bias


_LAYOUTS: dict[str, Callable[[tf.Tensor, WideHead], tf.Tensor]] = {
    FULLY_CONNECTED: lambda features, wide: _fake_quantized_dense(features, wide.kernel, wide.bias),
    "convolution": convolution_logits,
}


class _Selectable(tf.Module):
    """Backbone, wide head, and the choice of one head by index."""

    def __init__(self, backbone: Callable[..., tf.Tensor], wide: WideHead) -> None:
        super().__init__()
        # The module must own the backbone, or its variables are not found by the converter.
        self.backbone = backbone
        self._wide = wide

    def logits(self, image: tf.Tensor, head: tf.Tensor) -> dict[str, tf.Tensor]:
        wide = self._wide
        outputs = self._all_heads(self.backbone(image, training=False), wide)
        # A batch of one, so that the rows can be the heads.
        rows = tf.reshape(outputs, [len(wide.alphas), wide.classes])
        return {"logits": tf.gather(rows, head)}

    def _all_heads(self, features: tf.Tensor, wide: WideHead) -> tf.Tensor:
        if wide.hidden is not None:
            features = tf.nn.relu(tf.matmul(features, wide.hidden.kernel) + wide.hidden.bias)
        return tf.matmul(features, wide.kernel) + wide.bias


class _FakeQuantized(_Selectable):
    """The same with all ranges told to the converter, behind a backbone that tells its own."""

    def __init__(self, backbone: Callable[..., tf.Tensor], wide: WideHead, layout: str) -> None:
        super().__init__(backbone, wide)
        self._layout = _LAYOUTS[layout]

    def _all_heads(self, features: tf.Tensor, wide: WideHead) -> tf.Tensor:
        if wide.hidden is not None:
            hidden = tf.nn.relu(_fake_quantized_dense(features, wide.hidden.kernel, wide.hidden.bias))
            features = tf.quantization.fake_quant_with_min_max_args(hidden, 0.0, wide.hidden.output_range)
        outputs = self._layout(features, wide)
        return tf.quantization.fake_quant_with_min_max_args(outputs, -wide.output_range, wide.output_range)


def export_int8(
    backbone: Callable[..., tf.Tensor],
    heads: Sequence[Head],
    image_shape: tuple[int, int, int],
    facts: Mapping[str, Any],
    layout: str = FULLY_CONNECTED,
    calibration: np.ndarray | None = None,
) -> tuple[bytes, dict[str, Any]]:
    """Converts to a full-int8 file with builtin operators only.

    Args:
        backbone: a Keras model from float images [1, height, width, channels] in 0..1 to features [1, features]:
            quantization-aware, or plain with `calibration`.
        heads: the heads that stand on it.
        image_shape: height, width and channels.
        facts: what else the file should say about itself; plain JSON values.
        layout: the layer that holds all heads; see `converters.head_layout`. With `calibration` the converter gives
            a fully connected layer a weight scale per class by itself.
        calibration: images to measure activation ranges on, float32 [N, height, width, channels] in 0..1.

    Returns:
        The file's bytes, and the metadata that is embedded in it under the name `tinycerb`: `facts` plus `heads`,
        `classes`, `alphas` and `head_layout`. Inputs are `image` (int8) and `head` (int32 [1]), the output is `logits`
        (int8 [1, classes]): the selected head's logits times its alpha.
    """
    wide = widen(heads)
    if calibration is None:
        converter = _converter(_FakeQuantized(backbone, wide, layout), image_shape)
    else:
        converter = _converter(_Selectable(backbone, wide), image_shape)
        samples = [{"image": image[np.newaxis], "head": np.zeros(1, np.int32)} for image in calibration]
        converter.representative_dataset = lambda: iter(samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    metadata = {
        **facts,
        "heads": len(heads),
        "classes": wide.classes,
        "alphas": list(wide.alphas),
        "head_layout": layout,
    }
    return embed_metadata(compact(converter.convert()), metadata), metadata


def export_float(backbone: Callable[..., tf.Tensor], heads: Sequence[Head], image_shape: tuple[int, int, int]) -> bytes:
    """Converts the same graph in float32, to compare an int8 file with layer by layer.

    Args:
        backbone: a plain Keras model, as for `export_int8`.
        heads: the heads that stand on it.
        image_shape: height, width and channels.
    """
    return compact(_converter(_Selectable(backbone, widen(heads)), image_shape).convert())


def _converter(module: _Selectable, image_shape: tuple[int, int, int]) -> Any:
    signature = [tf.TensorSpec([1, *image_shape], tf.float32, "image"), tf.TensorSpec([1], tf.int32, "head")]
    function = tf.function(module.logits, input_signature=signature)
    return tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], module)
