"""What an operator is called, and where posteriors come from."""

from tests.firmware.flatbuffer_model import FlatModel
from tests.fuzz.fields import fields_of
from tinycerb.converters.model_file import parse_model


def test_the_larger_of_both_code_fields_counts() -> None:
    """TFLite takes the larger one; the generated reader gives the older field for numbers below 127."""
    flat = FlatModel()
    source = flat.tensor([1, 4], [0.1], [0])
    content = flat.finish([source], flat.operator("RELU", [source], flat.tensor([1, 4], [0.1], [0])))
    newer = bytearray(content)
    (field,) = (place for place in fields_of(content) if place.name == "OperatorCode.3")
    field.write(newer, 21)
    assert [parse_model(each).operators[0].name for each in (content, bytes(newer))] == ["RELU", "RELU6"]
    field.write(newer, 3)
    assert parse_model(bytes(newer)).operators[0].name == "RELU"


def test_only_a_softmax_that_writes_the_output_makes_posteriors() -> None:
    flat = FlatModel()
    source, logits = flat.tensor([1, 4], [0.1], [0]), flat.tensor([1, 4], [0.1], [0])
    flat.operator("RELU", [source], logits)
    beside = flat.operator("SOFTMAX", [logits], flat.tensor([1, 4], [1 / 256], [-128]), "SoftmaxOptions", {"Beta": 1.0})
    content = flat.finish([source], logits)
    assert not parse_model(content).gives_posteriors
    behind = bytearray(content)
    (field,) = (place for place in fields_of(content) if (place.name, place.kind) == ("SubGraph.2", "i32"))
    field.write(behind, beside)
    assert parse_model(bytes(behind)).gives_posteriors
