"""Quantization-aware backbone plus heads to one int8 .tflite with a head-selection input."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from converters.conv_head import convolution_logits
from converters.metadata import embed_metadata
from converters.wide_head import Head, WideHead, widen


def _fully_connected_logits(features: tf.Tensor, wide: WideHead) -> tf.Tensor:
    """Computes all heads by one matrix product, float [1, heads * classes]."""
    largest = float(abs(wide.kernel).max())
    kernel = tf.quantization.fake_quant_with_min_max_args(wide.kernel, -largest, largest, narrow_range=True)
    return tf.matmul(features, kernel) + wide.bias


_LAYOUTS: dict[str, Callable[[tf.Tensor, WideHead], tf.Tensor]] = {
    "fully_connected": _fully_connected_logits,
    "convolution": convolution_logits,
}


class _Selectable(tf.Module):
    """Backbone, wide head, and the choice of one head by index."""

    def __init__(self, backbone: Callable[..., tf.Tensor], wide: WideHead, layout: str) -> None:
        super().__init__()
        # The module must own the backbone, or its variables are not found by the converter.
        self.backbone = backbone
        self._wide = wide
        self._layout = _LAYOUTS[layout]

    def logits(self, image: tf.Tensor, head: tf.Tensor) -> dict[str, tf.Tensor]:
        wide = self._wide
        outputs = self._layout(self.backbone(image, training=False), wide)
        outputs = tf.quantization.fake_quant_with_min_max_args(outputs, -wide.output_range, wide.output_range)
        # A batch of one, so that the rows can be the heads.
        rows = tf.reshape(outputs, [len(wide.alphas), wide.classes])
        return {"logits": tf.gather(rows, head)}


def export_int8(
    backbone: Callable[..., tf.Tensor],
    heads: Sequence[Head],
    image_shape: tuple[int, int, int],
    facts: Mapping[str, Any],
    layout: str = "fully_connected",
) -> tuple[bytes, dict[str, Any]]:
    """Converts to a full-int8 file with builtin operators only.

    Args:
        backbone: a quantization-aware Keras model from float images [1, height, width, channels] in 0..1 to
            fake-quantized features [1, features].
        heads: the linear heads that stand on it.
        image_shape: height, width and channels.
        facts: what else the file should say about itself; plain JSON values.
        layout: the layer that holds all heads; see `converters.head_layout`.

    Returns:
        The file's bytes, and the metadata that is embedded in it under the name `tinycerb`: `facts` plus `heads`,
        `classes`, `alphas` and `head_layout`. Inputs are `image` (int8) and `head` (int32 [1]), the output is `logits`
        (int8 [1, classes]): the selected head's logits times its alpha.
    """
    wide = widen(heads)
    module = _Selectable(backbone, wide, layout)
    signature = [
        tf.TensorSpec([1, *image_shape], tf.float32, "image"),
        tf.TensorSpec([1], tf.int32, "head"),
    ]
    function = tf.function(module.logits, input_signature=signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    metadata = {
        **facts,
        "heads": len(heads),
        "classes": wide.classes,
        "alphas": list(wide.alphas),
        "head_layout": layout,
    }
    return embed_metadata(converter.convert(), metadata), metadata
