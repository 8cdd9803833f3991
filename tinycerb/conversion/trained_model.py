"""What the converter needs of a trained victim: its backbone, its heads with their ranges, and calibration images."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinycerb.compression.calibration import Calibration, choose_calibration
from tinycerb.compression.quantization import load_quantization_aware
from tinycerb.config import Config
from tinycerb.converters.wide_head import Head, Hidden
from tinycerb.datasets.images import Dataset
from tinycerb.errors import UsageError
from tinycerb.file_names import FLOAT_MODEL, QUANTIZATION_AWARE_MODEL
from tinycerb.keras_models.legacy import keras, named_layer
from tinycerb.keras_models.multi_head import head_name, hidden_name
from tinycerb.runtimes.model_card import CalibrationManifest
from tinycerb.training.artefacts import load_float_model

_QUANTIZED = "quant_"


@dataclass(frozen=True)
class TrainedModel:
    """A victim, ready to be converted.

    Attributes:
        backbone: images in 0..1 to features; to a list, one per head, where each head has its own.
        heads: what stands on it.
        description: how it was or will be quantized, for the file's metadata.
        calibration_images: float32 [N, height, width, channels] in 0..1, or None after quantization-aware training.
        manifest: which images these are, or None.
    """

    backbone: keras.Model
    heads: list[Head]
    description: str
    calibration_images: np.ndarray | None = None
    manifest: CalibrationManifest | None = None

    @property
    def per_head_backbones(self) -> bool:
        """Whether each head stands on a backbone of its own."""
        return len(self.backbone.outputs) > 1


def quantization_aware(config: Config, dataset: Dataset, folder: Path, heads: int) -> TrainedModel:
    """Reads a victim that was trained with fake quantization.

    Raises:
        EnvironmentProblem: its file is missing or damaged.
        UsageError: a head is missing.
    """
    return from_quantization_aware(load_quantization_aware(folder / QUANTIZATION_AWARE_MODEL), heads)


def from_quantization_aware(model: keras.Model, heads: int) -> TrainedModel:
    """Takes a model with fake quantization apart.

    Raises:
        UsageError: a head is missing.
    """
    found = [_quantized_head(model, index) for index in range(heads)]
    return TrainedModel(_features_of(model, heads, _QUANTIZED), found, "quantization-aware training")


def count_heads(model: keras.Model) -> int:
    """Returns the number of heads of a quantization-aware multi-head model.

    Raises:
        UsageError: it has none.
    """
    names = _names(model)
    count = 0
    while _QUANTIZED + head_name(count) in names:
        count += 1
    if count == 0:
        found = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Dense)]
        state = "it is not quantization-aware" if not any(name.startswith(_QUANTIZED) for name in names) else "it has"
        raise UsageError(
            f"the model has no layer {_QUANTIZED + head_name(0)!r}: {state} (dense layers: {', '.join(found) or 'none'}"
            "); name the heads head_0, head_1 ... and wrap the model with TF-MOT's quantize_model, or train it with: "
            "tinycerb train"
        )
    return count


def post_training(config: Config, dataset: Dataset, folder: Path, heads: int) -> TrainedModel:
    """Reads a victim that was trained in float only; ranges come from calibration images.

    Raises:
        EnvironmentProblem: its file is missing or damaged.
        UsageError: a head is missing, or there are too few calibration images.
    """
    calibration = choose_calibration(config, dataset)
    return from_float(load_float_model(folder / FLOAT_MODEL), heads, calibration)


def from_float(model: keras.Model, heads: int, calibration: Calibration) -> TrainedModel:
    """Takes a plain model apart; its ranges are those on the calibration images.

    Raises:
        UsageError: a head is missing.
    """
    images = calibration.images.astype(np.float32) / 255.0
    return TrainedModel(
        backbone=_features_of(model, heads),
        heads=[_float_head(model, index, images) for index in range(heads)],
        description=f"post-training, {len(images)} calibration images",
        calibration_images=images,
        manifest=calibration.manifest,
    )


SOURCES: dict[str, Callable[[Config, Dataset, Path, int], TrainedModel]] = {
    "aware": quantization_aware,
    "post": post_training,
}


def without_quantization(config: Config, dataset: Dataset, folder: Path, heads: int) -> TrainedModel:
    """Reads a victim's final weights without any fake quantization: what its int8 file stands for.

    Raises:
        EnvironmentProblem: a file is missing or damaged.
        UsageError: a head is missing.
    """
    model = load_float_model(folder / FLOAT_MODEL)
    if config.quantization.method == "aware":
        quantized = load_quantization_aware(folder / QUANTIZATION_AWARE_MODEL)
        for layer in model.layers:
            if layer.weights:
                wrapper = named_layer(quantized, _QUANTIZED + layer.name)
                trained = {_plain_name(weight.name): weight.numpy() for weight in wrapper.weights}
                layer.set_weights([trained[_plain_name(weight.name)] for weight in layer.weights])
    images = dataset.validation.images[:100].astype(np.float32) / 255.0
    return TrainedModel(_features_of(model, heads), [_float_head(model, i, images) for i in range(heads)], "none")


def _plain_name(name: str) -> str:
    """`quant_stem/kernel:0` and `stem/kernel:0` -> `kernel`."""
    return name.split("/")[-1].split(":")[0]


def _quantized_head(model: keras.Model, index: int) -> Head:
    hidden = None
    if _QUANTIZED + hidden_name(index) in _names(model):
        hidden = Hidden(*_quantized_dense(model, hidden_name(index)))
    return Head(*_quantized_dense(model, head_name(index)), hidden)


def _quantized_dense(model: keras.Model, name: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Kernel, bias, and the largest absolute output that training saw."""
    layer = _layer(model, _QUANTIZED + name)
    weights = {_plain_name(weight.name): weight.numpy() for weight in layer.weights}
    largest = max(-float(weights["post_activation_min"]), float(weights["post_activation_max"]))
    return np.asarray(weights["kernel"]), np.asarray(weights["bias"]), largest


def _float_head(model: keras.Model, index: int, images: np.ndarray) -> Head:
    hidden = None
    if hidden_name(index) in _names(model):
        hidden = Hidden(*_float_dense(model, hidden_name(index), images))
    return Head(*_float_dense(model, head_name(index), images), hidden)


def _float_dense(model: keras.Model, name: str, images: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Kernel, bias, and the largest absolute output on the images."""
    layer = _layer(model, name)
    outputs = keras.Model(model.input, layer.output)(images, training=False)
    largest = max(float(np.abs(np.asarray(outputs)).max()), 1e-6)
    return layer.kernel.numpy(), layer.bias.numpy(), largest


def _features_of(model: keras.Model, heads: int, prefix: str = "") -> keras.Model:
    """Returns what the heads read: of one backbone that they have in common, or of one each."""
    found: list[Any] = []
    for index in range(heads):
        names = (hidden_name(index), head_name(index))
        first = next(prefix + name for name in names if prefix + name in _names(model))
        found.append(named_layer(model, first).input)
    shared = all(features is found[0] for features in found)
    return keras.Model(model.input, found[0] if shared else found)


def _layer(model: keras.Model, name: str) -> Any:
    if name not in _names(model):
        raise UsageError(f"the model has no layer {name!r}; heads are named {head_name(0)!r}, {head_name(1)!r} ...")
    return named_layer(model, name)


def _names(model: keras.Model) -> set[str]:
    return {layer.name for layer in model.layers}
