"""The int8 file of a finished run: what it holds, and what it says about itself."""

import json

import pytest

from tinycerb.atomic import read_json
from tinycerb.converters.contract import contract_violations, load_target
from tinycerb.converters.layer_costs import layer_costs
from tinycerb.converters.metadata import MetadataError, embed_metadata, read_metadata
from tinycerb.converters.model_file import ModelFile, ModelFileError, parse_model, read_model_file
from tinycerb.runtimes.model_card import ModelCard


@pytest.fixture(scope="module")
def file(smoke_run) -> ModelFile:
    return read_model_file(smoke_run.model("cerberos"))


def test_integers_only_within_the_runtime(file) -> None:
    assert contract_violations(file) == []
    dtypes = {tensor.dtype for operator in file.operators for tensor in (*operator.inputs, *operator.outputs)}
    assert dtypes == {"int8", "int32"}


def test_inputs_and_outputs_by_name(file) -> None:
    assert file.inputs["image"].shape == (1, 28, 28, 1)
    assert file.inputs["head"].shape == (1,)
    assert file.outputs["logits"].shape == (1, 10)
    # A pixel's code minus 128 is the input: no scaling on the device.
    assert file.inputs["image"].zero_points == (-128,)
    assert file.inputs["image"].scales[0] == pytest.approx(1 / 255, rel=1e-6)


def test_the_tail_selects_a_row(file) -> None:
    assert [operator.name for operator in file.operators[-4:]] == ["MEAN", "FULLY_CONNECTED", "RESHAPE", "GATHER"]
    assert file.head_operator is file.operators[-1]
    assert file.operators[-1].inputs[0].shape == (3, 10)


def test_channels_are_gone_from_the_file(file, smoke_run) -> None:
    dense = read_model_file(smoke_run.model("undefended"))
    assert file.operators[0].outputs[0].shape[3] * 2 == dense.operators[0].outputs[0].shape[3]
    counts = [sum(row.multiply_accumulates for row in layer_costs(model)) for model in (file, dense)]
    assert counts[0] < 0.4 * counts[1]


def test_a_lone_file_explains_itself(file, smoke_run) -> None:
    embedded, side = read_metadata(file), read_json(smoke_run.victim("cerberos") / "model.json")
    assert embedded is not None
    card = ModelCard.from_json(embedded)
    assert card.heads == len(card.alphas) == 3
    assert card.class_names is not None
    assert card.class_names[9] == "Ankle boot"
    assert min(card.alphas) == pytest.approx(1.0)
    assert {key: side[key] for key in embedded} == embedded
    assert side["file_bytes"] == len(file.content)


def test_metadata_can_be_replaced(file) -> None:
    other = {"heads": 1, "classes": 10, "alphas": [1.0]}
    again = parse_model(embed_metadata(file.content, other))
    assert read_metadata(again) == other
    # Replaced, not added: the other entries are still there, once each.
    assert sorted(again.metadata) == sorted(file.metadata)
    assert len(again.content) < len(file.content) + 1024


def test_a_float_operator_is_named() -> None:
    import tensorflow as tf

    function = tf.function(lambda x: tf.nn.relu(x) + 1.0, input_signature=[tf.TensorSpec([1, 4], tf.float32)])
    content = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()]).convert()
    violations = contract_violations(parse_model(content))
    assert any("works on float32" in violation for violation in violations)
    assert any("inputs are" in violation for violation in violations)


def test_a_version_above_the_ceiling_is_named(file, monkeypatch) -> None:
    low = dict.fromkeys(load_target("tflite-runtime-2-14"), 1)
    monkeypatch.setattr("tinycerb.converters.contract.load_target", lambda name: low)
    violations = contract_violations(file)
    assert any("CONV_2D" in violation and "version 3; " in violation for violation in violations)


@pytest.mark.parametrize(
    "wrong",
    [
        {"heads": 0, "classes": 10, "alphas": []},
        {"heads": True, "classes": 10, "alphas": [1.0]},
        {"heads": 2, "classes": 10, "alphas": [1.0]},
        {"heads": 1, "classes": 10, "alphas": [0.0]},
        {"heads": 1, "classes": 10, "alphas": ["1"]},
        {"heads": 1, "classes": "10", "alphas": [1.0]},
        {"heads": 1, "classes": 10, "alphas": [1.0], "class_names": "ten"},
    ],
)
def test_metadata_that_cannot_be_computed_with_is_refused(file, wrong: dict) -> None:
    with pytest.raises(MetadataError, match="expected"):
        read_metadata(parse_model(embed_metadata(file.content, wrong)))


@pytest.mark.parametrize("keep", [0, 3, 8, 40, 1000])
def test_truncated_files_are_named(file, keep: int) -> None:
    with pytest.raises(ModelFileError):
        parse_model(file.content[:keep])


def test_model_json_is_plain_json(smoke_run) -> None:
    text = (smoke_run.victim("cerberos") / "model.json").read_text()
    assert json.loads(text)["operators"][-1]["operator"] == "GATHER"
