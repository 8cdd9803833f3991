"""A trained model to `model.tflite`, and everything that it is handed over with."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from converters.contract import DEFAULT_TARGETS, contract_violations
from converters.export import export_int8
from converters.head_layout import LayoutChoice, choose_layout
from converters.model_file import parse_model
from converters.wide_head import Head, widen
from keras_models.legacy import keras, named_layer
from keras_models.multi_head import head_name
from tinycerb.atomic import read_json
from tinycerb.compression.quantization import load_quantization_aware
from tinycerb.config import Config
from tinycerb.datasets.images import Dataset
from tinycerb.errors import GateError, UsageError
from tinycerb.events import Progress, Report
from tinycerb.handover import hand_over
from tinycerb.training.artefacts import MODEL, SUMMARY
from tinycerb.training.setup import make_repeatable

_QUANTIZED = "quant_"
_MEASURED_IMAGES = 128


def convert_victim(config: Config, victim_name: str, dataset: Dataset, folder: Path, report: Report) -> None:
    """Converts one trained victim and checks the file against the contract.

    Args:
        config: the run's configuration.
        victim_name: one of its victims.
        dataset: the victim's data, for names, shapes and golden vectors.
        folder: the victim's folder; `model.tflite`, `model.json` and the rest go there.
        report: takes progress events.

    Raises:
        EnvironmentProblem: the victim is not trained, or its files are damaged.
        GateError: the file breaks the contract; nothing is written then.
    """
    make_repeatable(config.seed)
    training = read_json(folder / SUMMARY)
    report(Progress(0, 4, "loading the trained model"))
    model = load_quantization_aware(folder / MODEL)
    facts = {
        "schema_version": 1,
        "victim": victim_name,
        "defense": training["defense"],
        "selection": training["selection"],
        "channel_ratio": training["channel_ratio"],
        "backbone": config.model.backbone,
        "dataset": dataset.name,
        "class_names": list(dataset.class_names),
        "image_shape": list(dataset.image_shape),
        "image_range": [0.0, 1.0],
        "quantization": "quantization-aware training; no calibration images",
        "response": "none",
        "seed": config.seed,
        "tensorflow": version("tensorflow"),
    }
    card = convert_model(model, facts, dataset.validation.images, folder, report)
    report(Progress(4, 4, f"{card['file_bytes']:,} bytes"))


def convert_model(
    model: keras.Model,
    facts: dict[str, Any],
    images: np.ndarray,
    folder: Path,
    report: Report,
    targets: Sequence[str] = DEFAULT_TARGETS,
) -> dict[str, Any]:
    """Converts a quantization-aware multi-head model.

    Args:
        model: images in 0..1 to one logits tensor per head, layers `quant_head_0`, `quant_head_1` ...
        facts: what the file should say about itself, `image_shape` and `victim` among it.
        images: uint8 [N, height, width, channels], for measuring head layouts and for golden vectors.
        folder: where the files go.
        report: takes progress events.
        targets: runtimes that must be able to run the file.

    Returns:
        The contents of `model.json`.

    Raises:
        UsageError: the model has no such heads.
        GateError: the file breaks the contract; nothing is written then.
    """
    heads = read_heads(model, count_heads(model))
    backbone = keras.Model(model.input, named_layer(model, _QUANTIZED + head_name(0)).input)
    report(Progress(1, 4, "measuring head layouts"))
    choice = measure_layouts(backbone, heads, images)
    report(Progress(2, 4, f"converting to int8; {choice.sentence()}"))
    facts = {**facts, "head_errors_lsb": {layout: max(errors) for layout, errors in choice.errors.items()}}
    content, metadata = export_int8(backbone, heads, tuple(facts["image_shape"]), facts, choice.layout)
    report(Progress(3, 4, "checking the file"))
    violations = contract_violations(parse_model(content), targets)
    if violations:
        raise GateError(f"{facts['victim']}: the converted file breaks the contract:\n  " + "\n  ".join(violations))
    return hand_over(folder, content, metadata, images)


def measure_layouts(backbone: keras.Model, heads: Sequence[Head], images: np.ndarray) -> LayoutChoice:
    """Measures both head layouts on the features of some images, uint8 [N, height, width, channels]."""
    features = backbone(images[:_MEASURED_IMAGES].astype(np.float32) / 255, training=False).numpy()
    return choose_layout(widen(heads), features)


def count_heads(model: keras.Model) -> int:
    """Returns the number of heads of a quantization-aware multi-head model.

    Raises:
        UsageError: it has none.
    """
    names = {layer.name for layer in model.layers}
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


def read_heads(model: keras.Model, count: int) -> list[Head]:
    """Reads the linear heads of a quantization-aware model with the output ranges that training saw.

    Raises:
        UsageError: a head is missing.
    """
    heads = []
    for index in range(count):
        name = _QUANTIZED + head_name(index)
        if name not in {layer.name for layer in model.layers}:
            raise UsageError(f"the model has no layer {name!r}; expected {count} heads, {name!r} among them")
        weights = {weight.name.split("/")[-1]: weight.numpy() for weight in named_layer(model, name).weights}
        largest = max(-float(weights["post_activation_min:0"]), float(weights["post_activation_max:0"]))
        heads.append(Head(np.asarray(weights["kernel:0"]), np.asarray(weights["bias:0"]), largest))
    return heads
