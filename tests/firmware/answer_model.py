"""The smallest models whose answer is whatever they are given: SOFTMAX's own output, or the logits of several heads."""

import numpy as np

from tests.firmware.flatbuffer_model import FlatModel
from tinycerb.converters.metadata import embed_metadata
from tinycerb.converters.model_file import ModelFile, parse_model


def answer_model(classes: int, response: str | None = "none") -> ModelFile:
    """Returns a model of one SOFTMAX; its int8 outputs are codes less 128. Without a response it has no card either."""
    flat = FlatModel()
    source = flat.tensor([1, classes], [0.1], [0], name="image")
    result = flat.tensor([1, classes], [1 / 256], [-128], name="logits")
    flat.operator("SOFTMAX", [source], result, "SoftmaxOptions", {"Beta": 1.0})
    metadata = {"schema_version": 1, "heads": 1, "classes": classes, "alphas": [1.0], "response": response}
    if response is None:
        return parse_model(flat.finish([source], result))
    return parse_model(embed_metadata(flat.finish([source], result), metadata))


def all_heads_model(classes: int, rows: int, response: str | None, combined_by: str = "") -> ModelFile:
    """Returns a model whose logits are its input, head by head, chosen by GATHER; each head has a scale of its own.

    Without a response it has no card either, and all heads share the output's scale.
    """
    flat = FlatModel()
    image = flat.tensor([1, rows * classes], [0.1], [0], name="image")
    head = flat.tensor([1], name="head")
    same = flat.operator("QUANTIZE", [image], flat.tensor([1, rows * classes], [0.1], [0]), "QuantizeOptions")
    shape = flat.tensor([2], values=np.array([rows, classes], np.int32))
    table = flat.operator("RESHAPE", [same, shape], flat.tensor([rows, classes], [0.1], [0]), "ReshapeOptions")
    logits = flat.tensor([1, classes], [0.1], [0], name="logits")
    flat.operator("GATHER", [table, head], logits, "GatherOptions", {"Axis": 0})
    if response is None:
        return parse_model(flat.finish([image, head], logits))
    alphas = [1.0 + 0.5 * row for row in range(rows)]
    metadata = {"schema_version": 1, "heads": rows, "classes": classes, "alphas": alphas, "response": response}
    metadata |= {"combined_by": combined_by} if combined_by else {}
    return parse_model(embed_metadata(flat.finish([image, head], logits), metadata))
