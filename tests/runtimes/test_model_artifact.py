"""A file and its card: one rule from outputs to posteriors, one parse, and errors that name the field."""

import ast
import hashlib
import json
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.answer_model import all_heads_model, answer_model
from tinycerb.answers.selection import simulated_device
from tinycerb.atomic import pack_json
from tinycerb.boards.build import firmware_folder
from tinycerb.boards.device_response import answers_to, device_response
from tinycerb.conversion.from_tflite import convert_tflite
from tinycerb.conversion.options import ConversionOptions
from tinycerb.converters import model_file
from tinycerb.converters.c_model.host import build_host_model
from tinycerb.converters.head_layout import LAYOUTS
from tinycerb.converters.metadata import MetadataError, embed_metadata, read_metadata
from tinycerb.converters.model_file import ModelFile, parse_model, read_model_file
from tinycerb.errors import EnvironmentProblem
from tinycerb.oracle import OracleSpec
from tinycerb.oracle.server import make_answers
from tinycerb.runtimes.answering import Answers
from tinycerb.runtimes.engines import EngineName
from tinycerb.runtimes.model_artifact import ModelArtifact, open_artifact
from tinycerb.runtimes.model_card import (
    ArenaFacts,
    BundleCard,
    CalibrationManifest,
    HeadErrors,
    ModelCard,
    OperatorFacts,
    TensorFacts,
)
from tinycerb.runtimes.model_json import read_model_json

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "tests" / "assets").glob("*.tflite"))
CARD = {"schema_version": 1, "heads": 2, "classes": 10, "alphas": [1.0, 2.5], "response": "none"}
BUNDLE = BundleCard(
    victim="v", heads=1, classes=3, alphas=(1.0,), head_errors_lsb=HeadErrors(0.5, 0.25), further={"colour": "red"},
    sha256="0" * 64, file_bytes=7,
    inputs={"image": TensorFacts("int8", (1, 8, 8, 1), 0.5, -128), "head": TensorFacts("int32", (1,), None, None)},
    outputs={"logits": TensorFacts("int8", (1, 3), 0.25, 3)},
    operators=(OperatorFacts("CONV_2D", 3, (1, 4, 4, 2), 100, 20, 32),),
    calibration=CalibrationManifest("train", (4, 7), (1, 0, 1), 2, 1, ("strokes",), "0" * 64),
    engines=(EngineName("tflite-runtime", "2.14.0", "reference"),),
    arena=ArenaFacts("estimated", "Planned.", 3, 2, 1),
)  # fmt: skip


def outputs_of(heads: int, classes: int) -> np.ndarray:
    rng = np.random.default_rng([heads, classes])
    return rng.integers(-128, 128, (500, heads, classes), dtype=np.int8)


class Loaded:
    """A model whose outputs are known."""

    engine = EngineName("none", "0", "reference")

    def __init__(self, artifact: ModelArtifact, outputs: np.ndarray) -> None:
        self.artifact, self._outputs = artifact, outputs

    def all_heads(self, images: np.ndarray, on_progress=None) -> np.ndarray:
        return self._outputs[: len(images)]


def oracle_answers(file: ModelFile, outputs: np.ndarray) -> np.ndarray:
    """What `tinycerb.oracle` says with head 0, uint8 [N, classes]."""
    artifact = ModelArtifact.of(file)
    spec = OracleSpec("", "probs", "fixed", 1)
    answer = make_answers(spec, Loaded(artifact, outputs), simulated_device(1))
    images = np.zeros((len(outputs), *artifact.image_shape), np.uint8)
    return np.rint(answer(images) * 256).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """One folder, in which the C runtime is compiled once."""
    return tmp_path_factory.mktemp("artifacts")


@pytest.mark.parametrize(
    ("file", "heads"),
    [
        (answer_model(10, None), 1),
        (all_heads_model(10, 3, None), 3),
        (all_heads_model(10, 3, "none"), 3),
        (all_heads_model(10, 2, "am,tau=.5", "am"), 2),
    ],
    ids=["SOFTMAX without a card", "logits without a card", "logits", "a combiner"],
)
def test_oracle_device_and_the_firmware_s_c_say_the_same(folder: Path, request, file: ModelFile, heads: int) -> None:
    outputs = outputs_of(heads, 10)
    host = build_host_model(file, firmware_folder(), folder / request.node.callspec.id, responses=device_response(file))
    answers = answers_to(file, outputs)
    assert (answers == Answers(ModelArtifact.of(file)).of_all(None, outputs)).all()
    assert (answers[:, 0] == oracle_answers(file, outputs)).all()
    for head in range(answers.shape[1]):
        asked = outputs.reshape(len(outputs), -1) if answers.shape[1] < heads else outputs[:, head]
        assert (host.answer(asked, head) == answers[:, head]).all()
    assert len(np.unique(answers, axis=0)) > 50


def test_host_and_device_call_one_rule(monkeypatch) -> None:
    """Whatever the rule says is what both of them say."""
    said = np.zeros((500, 3, 10), np.uint8)
    said[:, :, 4], said[:, :, 5] = 200, 56
    monkeypatch.setattr(ModelArtifact, "posteriors", lambda self, outputs: said)
    file, outputs = all_heads_model(10, 3, "none"), outputs_of(3, 10)
    assert (answers_to(file, outputs) == said).all()
    assert (oracle_answers(file, outputs) == said[:, 0]).all()


def test_nobody_spells_the_rule_a_second_time() -> None:
    """Softmax codes are made in one place, and what a file's end is decides one function."""
    places: dict[str, set[str]] = {"softmax_codes": set(), "gives_posteriors": set(), "head_scales": set()}
    for package in ("tinycerb", "converters", "reports"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                name = getattr(node, "id", getattr(node, "attr", ""))
                if name in places:
                    places[name].add(str(path.relative_to(ROOT)))
    assert places == {
        # A file's own SOFTMAX is made up for where the runtimes' overflows.
        "softmax_codes": {"tinycerb/runtimes/model_artifact.py", "converters/large_softmax.py"},
        "gives_posteriors": {"converters/metadata.py"},
        "head_scales": {"tinycerb/runtimes/model_artifact.py", "converters/c_model/model.py"},
    }


def test_posteriors_by_hand() -> None:
    """Equal logits share evenly, a SOFTMAX's codes are those of the file, and an alpha flattens its head."""
    assert (ModelArtifact.of(all_heads_model(4, 1, None)).posteriors(np.zeros((1, 1, 4), np.int8)) == 64).all()
    codes = np.array([[200, 50, 6, 0]])
    outputs = (codes - 128).astype(np.int8)[:, np.newaxis]
    assert (ModelArtifact.of(answer_model(4, None)).posteriors(outputs)[:, 0] == codes).all()
    two = ModelArtifact.of(all_heads_model(4, 2, "none")).posteriors(
        np.tile(np.array([30, 0, 0, 0], np.int8), (1, 2, 1))
    )
    # Logits of 3 over alphas of 1 and 1.5: e^3 / (e^3 + 3) and e^2 / (e^2 + 3) of 256.
    assert np.abs(two[0, :, 0].astype(float) - [222.7, 182.1]).max() < 1.5


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_committed_files_open_and_say_again_what_they_said(path: Path) -> None:
    artifact = open_artifact(path)
    said = json.loads(artifact.file.metadata["tinycerb"])
    assert artifact.card.to_json() == said == read_metadata(artifact.file)
    assert artifact.card.further == {}
    assert artifact.card.class_names is not None
    assert len(artifact.card.class_names) == artifact.classes == 10
    assert ModelCard.from_json(artifact.card.to_json()) == artifact.card
    assert artifact.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_run_s_model_json_is_written_again_byte_for_byte(smoke_run) -> None:
    for victim in ("undefended", "cerberos"):
        path = smoke_run.victim(victim) / "model.json"
        assert pack_json(read_model_json(path).to_json()) == path.read_bytes()


def test_a_bundle_with_everything_in_it_comes_back() -> None:
    content = json.loads(json.dumps(BUNDLE.to_json()))
    assert BundleCard.from_json(content) == BUNDLE
    assert content["colour"] == "red"
    assert content["inputs"]["head"] == {"dtype": "int32", "shape": [1], "scale": None, "zero_point": None}
    assert "golden" not in content
    assert replace(BUNDLE, calibration=None).to_json()["calibration"] is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"schema_version": 2}, r"schema_version is 2; this TinyCerb reads up to 1"),
        ({"schema_version": "1"}, r"schema_version is '1'; expected a whole number from 1 to 1"),
        ({"heads": 0}, r"heads is 0; expected a whole number from 1 to 65,535"),
        ({"classes": 1.5}, r"classes is 1\.5; expected a whole number"),
        ({"alphas": [1.0]}, r"alphas is \[1\.0\]; expected 2 positive numbers, one per head"),
        ({"alphas": [1.0, float("nan")]}, r"alphas is \[1\.0, nan\]; expected 2 positive numbers"),
        ({"response": 3}, r"response is 3; expected a text"),
        ({"combined_by": ["edm"]}, r"combined_by is \['edm'\]; expected a response's name"),
        ({"class_names": [1]}, r"class_names is \[1\]; expected a list of texts"),
        ({"seed": True}, r"seed is True; expected a whole number"),
        ({"channel_ratio": "half"}, r"channel_ratio is 'half'; expected a number"),
        ({"image_shape": [28, "x"]}, r"image_shape\[1\] is 'x'; expected a whole number"),
        ({"image_shape": 28}, r"image_shape is 28; expected a list, each item a whole number"),
        ({"head_errors_lsb": {"convolution": 1}}, r"head_errors_lsb\.fully_connected is missing; expected a number"),
        (
            {"head_errors_lsb": {"convolutoin": 1}},
            r"head_errors_lsb\.convolutoin is unknown.*did you mean 'convolution'",
        ),
    ],
)
def test_a_wrong_card_is_refused_by_field_value_and_what_is_allowed(wrong: dict[str, object], message: str) -> None:
    assert ModelCard.from_json(CARD).alphas == (1.0, 2.5)
    with pytest.raises(MetadataError, match=message):
        ModelCard.from_json({**CARD, **wrong})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sha256": "x"}, r"sha256 is 'x'; expected 64 hexadecimal digits"),
        ({"file_bytes": None}, r"file_bytes is None; expected a whole number"),
        ({"inputs": {}}, r"inputs has nothing; expected 'image' among them"),
        ({"outputs": []}, r"outputs is \[\]; expected an object, each value an object with dtype, shape, scale"),
        ({"operators": [{"operator": "ADD"}]}, r"operators\[0\]\.version is missing; expected a whole number"),
        ({"engines": [{"runtime": "x", "version": "1", "kernels": 1}]}, r"engines\[0\]\.kernels is 1; expected a text"),
        ({"arena": {"arena_bytes": 1}}, r"arena\.basis is missing; expected a text"),
        ({"calibration": {"split": 1}}, r"calibration\.split is 1; expected a text"),
        ({"golden": 4}, r"golden is 4; expected an object with images, answers"),
    ],
)
def test_a_wrong_model_json_names_the_field_and_the_file(tmp_path, wrong: dict[str, object], message: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps({**BUNDLE.to_json(), **wrong}))
    with pytest.raises(EnvironmentProblem, match=rf"model\.json: {message}"):
        read_model_json(path)


def test_a_card_of_a_newer_version_is_refused_wherever_a_file_is_opened(tmp_path) -> None:
    sample = read_model_file(SAMPLES[0])
    newer = embed_metadata(sample.content, {**(read_metadata(sample) or {}), "schema_version": 9})
    (tmp_path / "model.tflite").write_bytes(newer)
    for opened in (lambda: open_artifact(tmp_path / "model.tflite"), lambda: device_response(parse_model(newer))):
        with pytest.raises(
            (EnvironmentProblem, MetadataError), match=r"schema_version is 9; this TinyCerb reads up to 1"
        ):
            opened()


def test_a_card_names_the_layouts_that_the_converter_measures() -> None:
    assert tuple(field.name for field in fields(HeadErrors)) == LAYOUTS


def test_a_response_takes_away_nothing_and_no_bytes_are_parsed_twice(tmp_path, monkeypatch) -> None:
    """What whoever made the file has added stays; a file is parsed when it is read and once it is amended."""
    sample = read_model_file(SAMPLES[0])
    given = {**(read_metadata(sample) or {}), "colour": {"of": ["the", "house"]}}
    (tmp_path / "given.tflite").write_bytes(embed_metadata(sample.content, given))
    parsed: Counter[bytes] = Counter()
    verify = model_file.verify
    monkeypatch.setattr(model_file, "verify", lambda content: (parsed.update([content]), verify(content)))
    options = ConversionOptions(response="top1", operator="custom")
    bundle = convert_tflite(tmp_path / "given.tflite", tmp_path / "out", options)
    assert sorted(parsed.values()) == [1, 1]
    assert parsed.keys() == {path.read_bytes() for path in (tmp_path / "given.tflite", tmp_path / "out/model.tflite")}
    assert bundle.card.to_json().items() >= {**given, "response": "top1"}.items()
    assert read_model_json(tmp_path / "out" / "model.json") == bundle.card


OPENED = """
import sys
from collections import Counter
from pathlib import Path
from tinycerb.converters import model_file
parsed, verify = Counter(), model_file.verify
model_file.verify = lambda content: (parsed.update([content]), verify(content))
import numpy as np
from tinycerb.bench.accuracy import compare_kernels
from tinycerb.runtimes.answering import Answers
from tinycerb.runtimes.compiled_model import open_fastest
from tinycerb.runtimes.interpreter_model import open_interpreter
from tinycerb.runtimes.layer_outputs import run_operators
from tinycerb.runtimes.model_artifact import open_artifact
artifact = open_artifact(Path(sys.argv[1]))
images = np.random.default_rng(0).integers(0, 256, (4, *artifact.image_shape), dtype=np.uint8)
codes = artifact.quantize(images)
answers = Answers(artifact).of_all(codes, open_fastest(artifact).all_heads(codes))
figures = compare_kernels(open_interpreter(artifact), images)
print(answers.shape, figures["images"], len(run_operators(artifact.file, codes)) > 5, list(parsed.values()))
"""


def test_what_a_run_measures_parses_a_file_once(run_child) -> None:
    assert run_child(OPENED, SAMPLES[0]).strip() == "(4, 3, 10) 4 True [1]"
