"""Backbone plus heads, or backbones with a head each, to one int8 .tflite with a head-selection input."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from tinycerb.converters.compact import compact
from tinycerb.converters.conv_head import convolution_logits
from tinycerb.converters.metadata import embed_metadata
from tinycerb.converters.model_file import parse_model
from tinycerb.converters.pixel_codes import image_range
from tinycerb.converters.wide_head import Head, WideHead, widen, widen_each

FULLY_CONNECTED = "fully_connected"
# Each head is a fully connected layer of its own, over features of its own.
PER_HEAD_BACKBONES = "per_head_backbones"


def _fake_quantized_dense(inputs: tf.Tensor, kernel: np.ndarray, bias: np.ndarray) -> tf.Tensor:
    largest = float(abs(kernel).max())
    coarse = tf.quantization.fake_quant_with_min_max_args(kernel, -largest, largest, narrow_range=True)
    return tf.matmul(inputs, coarse) + bias


_LAYOUTS: dict[str, Callable[[tf.Tensor, WideHead], tf.Tensor]] = {
    FULLY_CONNECTED: lambda features, wide: _fake_quantized_dense(features, wide.kernel, wide.bias),
    "convolution": convolution_logits,
    PER_HEAD_BACKBONES: lambda features, wide: _fake_quantized_dense(features, wide.kernel, wide.bias),
}


class _Selectable(tf.Module):
    """Backbone, heads, and the choice of one head by index."""

    def __init__(
        self, backbone: Callable[..., "tf.Tensor | list[tf.Tensor]"], heads: Sequence[Head], per_head_backbones: bool
    ) -> None:
        super().__init__()
        # The module must own the backbone, or its variables are not found by the converter.
        self.backbone = backbone
        self.wides = widen_each(heads) if per_head_backbones else (widen(heads),)

    @property
    def alphas(self) -> list[float]:
        return [alpha for wide in self.wides for alpha in wide.alphas]

    def logits(self, image: tf.Tensor, head: tf.Tensor) -> dict[str, tf.Tensor]:
        features = self.backbone(image, training=False)
        features = features if isinstance(features, list | tuple) else [features]
        tables = []
        for one, wide in zip(features, self.wides, strict=True):
            # A batch of one, so that the rows can be the heads.
            tables.append(tf.reshape(self._all_heads(one, wide), [len(wide.alphas), wide.classes]))
        return {"logits": tf.gather(tf.concat(tables, axis=0) if len(tables) > 1 else tables[0], head)}

    def _all_heads(self, features: tf.Tensor, wide: WideHead) -> tf.Tensor:
        if wide.hidden is not None:
            features = tf.nn.relu(tf.matmul(features, wide.hidden.kernel) + wide.hidden.bias)
        return tf.matmul(features, wide.kernel) + wide.bias


class _FakeQuantized(_Selectable):
    """The same with all ranges told to the converter, behind a backbone that tells its own."""

    def __init__(
        self, backbone: Callable[..., "tf.Tensor | list[tf.Tensor]"], heads: Sequence[Head], layout: str
    ) -> None:
        super().__init__(backbone, heads, layout == PER_HEAD_BACKBONES)
        self._layout = _LAYOUTS[layout]

    def _all_heads(self, features: tf.Tensor, wide: WideHead) -> tf.Tensor:
        if wide.hidden is not None:
            hidden = tf.nn.relu(_fake_quantized_dense(features, wide.hidden.kernel, wide.hidden.bias))
            features = tf.quantization.fake_quant_with_min_max_args(hidden, 0.0, wide.hidden.output_range)
        outputs = self._layout(features, wide)
        return tf.quantization.fake_quant_with_min_max_args(outputs, -wide.output_range, wide.output_range)


class _Constant(tf.Module):
    """Owns a function without variables.

    The converter saves the owner of what it converts, and walking through the layers of a quantization-aware model
    takes it longer than everything else; here is nothing to walk through.
    """

    def __init__(
        self, frozen: Callable[[tf.Tensor, tf.Tensor], Sequence[tf.Tensor]], signature: Sequence[tf.TensorSpec]
    ) -> None:
        super().__init__()
        self.logits = tf.function(lambda image, head: {"logits": frozen(image, head)[0]}, input_signature=signature)


def export_int8(
    backbone: Callable[..., "tf.Tensor | list[tf.Tensor]"],
    heads: Sequence[Head],
    image_shape: tuple[int, int, int],
    facts: Mapping[str, object],
    layout: str = FULLY_CONNECTED,
    calibration: np.ndarray | None = None,
) -> bytes:
    """Converts to a full-int8 file with builtin operators only.

    Args:
        backbone: a Keras model from float images [1, height, width, channels] in 0..1 to features [1, features]:
            quantization-aware, or plain with `calibration`. With the layout `PER_HEAD_BACKBONES` to a list,
            one per head.
        heads: the heads that stand on it.
        image_shape: height, width and channels.
        facts: what else the file should say about itself; plain JSON values.
        layout: the layer that holds all heads; see `head_layout.py`. With `calibration` the converter gives
            a fully connected layer a weight scale per class by itself.
        calibration: images to measure activation ranges on, float32 [N, height, width, channels] in 0..1.

    Returns:
        The file's bytes. What it says about itself stands in it under the name `tinycerb`: `facts` plus `heads`,
        `classes`, `alphas`, `head_layout` and `image_range`. Inputs are `image` (int8) and `head` (int32 [1]), the
        output is `logits` (int8 [1, classes]): the selected head's logits times its alpha.
    """
    module = _FakeQuantized(backbone, heads, layout)
    if calibration is not None:
        module = _Selectable(backbone, heads, layout == PER_HEAD_BACKBONES)
    converter = _converter(module, image_shape)
    if calibration is not None:
        calibration = spanning(calibration)
        samples = [{"image": image[np.newaxis], "head": np.zeros(1, np.int32)} for image in calibration]
        converter.representative_dataset = lambda: iter(samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    content = compact(converter.convert())
    metadata = {
        **facts,
        "image_range": image_range(parse_model(content).inputs["image"]),
        "heads": len(heads),
        "classes": module.wides[0].classes,
        "alphas": module.alphas,
        "head_layout": layout,
    }
    return embed_metadata(content, metadata)


def spanning(images: np.ndarray) -> np.ndarray:
    """Returns calibration images that reach from 0 to 1, so that the input's scale is 1/255.

    Where none is black or white, the darkest and the brightest value of the first one become so.

    Args:
        images: float32 [N, height, width, channels] in 0..1.
    """
    changed = images.copy()
    for end, place in ((0.0, images[0].argmin()), (1.0, images[0].argmax())):
        if end not in (images.min(), images.max()):
            changed[0].flat[place] = end
    return changed


def export_float(
    backbone: Callable[..., "tf.Tensor | list[tf.Tensor]"],
    heads: Sequence[Head],
    image_shape: tuple[int, int, int],
    per_head_backbones: bool = False,
) -> bytes:
    """Converts the same graph in float32, to compare an int8 file with layer by layer.

    Args:
        backbone: a plain Keras model, as for `export_int8`.
        heads: the heads that stand on it.
        image_shape: height, width and channels.
        per_head_backbones: each head reads features of its own.
    """
    return compact(_converter(_Selectable(backbone, heads, per_head_backbones), image_shape).convert())


def _converter(module: _Selectable, image_shape: tuple[int, int, int]) -> tf.lite.TFLiteConverter:
    signature = [tf.TensorSpec([1, *image_shape], tf.float32, "image"), tf.TensorSpec([1], tf.int32, "head")]
    function = tf.function(module.logits, input_signature=signature)
    owner = _Constant(convert_variables_to_constants_v2(function.get_concrete_function()), signature)
    return tf.lite.TFLiteConverter.from_concrete_functions([owner.logits.get_concrete_function()], owner)
