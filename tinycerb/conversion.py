"""The trained victim of a run to `model.tflite` and `model.json`."""

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from converters.contract import contract_violations
from converters.export import export_int8
from converters.layer_costs import layer_costs
from converters.model_file import parse_model
from converters.wide_head import Head
from keras_models.legacy import keras, named_layer
from keras_models.multi_head import head_name
from tinycerb.atomic import read_json, write_bytes, write_json
from tinycerb.compression.quantization import load_quantization_aware
from tinycerb.config import Config
from tinycerb.datasets.images import Dataset
from tinycerb.errors import GateError, UsageError
from tinycerb.events import Progress, Report
from tinycerb.training.artefacts import MODEL, SUMMARY
from tinycerb.training.setup import make_repeatable

_QUANTIZED = "quant_"


def convert_victim(config: Config, victim_name: str, dataset: Dataset, folder: Path, report: Report) -> None:
    """Converts one trained victim and checks the file against the contract.

    Args:
        config: the run's configuration.
        victim_name: one of its victims.
        dataset: the victim's data, for names and shapes.
        folder: the victim's folder; `model.tflite` and `model.json` go there.
        report: takes progress events.

    Raises:
        EnvironmentProblem: the victim is not trained, or its files are damaged.
        GateError: the file breaks the contract; nothing is written then.
    """
    make_repeatable(config.seed)
    training = read_json(folder / SUMMARY)
    report(Progress(0, 3, "loading the trained model"))
    model = load_quantization_aware(folder / MODEL)
    heads = read_heads(model, int(training["heads"]))
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
        "seed": config.seed,
        "tensorflow": version("tensorflow"),
    }
    report(Progress(1, 3, "converting to int8"))
    content, metadata = export_int8(backbone_of(model), heads, dataset.image_shape, facts)
    report(Progress(2, 3, "checking the file"))
    card = describe_file(content, metadata)
    violations = contract_violations(parse_model(content))
    if violations:
        raise GateError(f"{victim_name}: the converted file breaks the contract:\n  " + "\n  ".join(violations))
    write_bytes(folder / "model.tflite", content)
    write_json(folder / "model.json", card)
    report(Progress(3, 3, f"{len(content):,} bytes"))


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


def backbone_of(model: keras.Model) -> keras.Model:
    """Returns a quantization-aware model up to what its heads read."""
    return keras.Model(model.input, named_layer(model, _QUANTIZED + head_name(0)).input)


def describe_file(content: bytes, metadata: dict[str, Any]) -> dict[str, Any]:
    """Returns the side file `model.json`: the embedded metadata plus what can only be said from outside."""
    file = parse_model(content)
    ends = {"inputs": file.inputs, "outputs": file.outputs}
    return {
        **metadata,
        "sha256": hashlib.sha256(content).hexdigest(),
        "file_bytes": len(content),
        **{
            kind: {
                name: {
                    "dtype": tensor.dtype,
                    "shape": list(tensor.shape),
                    "scale": tensor.scales[0] if tensor.scales else None,
                    "zero_point": tensor.zero_points[0] if tensor.zero_points else None,
                }
                for name, tensor in tensors.items()
            }
            for kind, tensors in ends.items()
        },
        "operators": [
            {
                "operator": row.operator,
                "version": row.version,
                "output_shape": list(row.output_shape),
                "multiply_accumulates": row.multiply_accumulates,
                "weight_bytes": row.weight_bytes,
                "activation_bytes": row.activation_bytes,
            }
            for row in layer_costs(file)
        ],
    }
