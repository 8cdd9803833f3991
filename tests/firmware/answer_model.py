"""The smallest model whose answer is whatever it is given: SOFTMAX's own output, and nothing before it."""

from converters.metadata import embed_metadata
from converters.model_file import ModelFile, parse_model
from tests.firmware.flatbuffer_model import FlatModel


def answer_model(classes: int, response: str = "none") -> ModelFile:
    """Returns a model of one SOFTMAX; its int8 outputs are codes less 128."""
    flat = FlatModel()
    source = flat.tensor([1, classes], [0.1], [0], name="image")
    result = flat.tensor([1, classes], [1 / 256], [-128], name="logits")
    flat.operator("SOFTMAX", [source], result, "SoftmaxOptions", {"Beta": 1.0})
    metadata = {"schema_version": 1, "heads": 1, "classes": classes, "alphas": [1.0], "response": response}
    return parse_model(embed_metadata(flat.finish([source], result), metadata))
