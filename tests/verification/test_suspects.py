"""Whatever can be asked: files of both kinds, functions, answers that came by mail; and what is wrong with them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Cli
from tinycerb.converters.metadata import embed_metadata, read_metadata
from tinycerb.converters.model_file import read_model_file
from tinycerb.errors import EnvironmentProblem, TinyCerbError, UsageError
from tinycerb.ownership.owner import open_owner
from tinycerb.ownership.owner_key import OwnerKey, write_owner_key
from tinycerb.ownership.questions import HELD_OUT, TELLING, Questions, draw_questions
from tinycerb.verification.batches import batch_of
from tinycerb.verification.owned_model import open_owned_model
from tinycerb.verification.suspects import open_suspect
from tinycerb.verification.suspects.suspect import as_labels

ASSETS = Path(__file__).parents[1] / "assets"
FORTRESS = ASSETS / "fortress.tflite"


@pytest.fixture(scope="module")
def questions() -> Questions:
    return draw_questions(OwnerKey(bytes(32)), 1, 24, ("strokes", "gratings", "shades"), (28, 28, 1))


@pytest.fixture
def here(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_of_tinycerb_answers_as_its_device(questions: Questions, run_child, tmp_path: Path) -> None:
    labels = open_suspect(str(FORTRESS), 10).labels(questions)
    code = (
        "import sys, numpy as np; from tinycerb.oracle import OracleSpec, SealedOracle\n"
        "images = np.load(sys.argv[2])\n"
        "with SealedOracle(OracleSpec(sys.argv[1], 'probs', 'fixed', 1)) as oracle:\n"
        "    print(oracle.query(images).argmax(axis=1).tolist())"
    )
    np.save(tmp_path / "images.npy", questions.images)
    assert len(set(labels.tolist())) > 3
    assert json.loads(run_child(code, FORTRESS, tmp_path / "images.npy")) == labels.tolist()


def test_several_heads_answer_with_their_mean(questions: Questions) -> None:
    labels = open_suspect(str(ASSETS / "cerberos_demo.tflite"), 10).labels(questions)
    assert labels.shape == (24,)
    assert len(set(labels.tolist())) > 1


def test_a_function_is_asked_in_a_process_of_its_own(here: Path, questions: Questions) -> None:
    (here / "theirs.py").write_text(
        "import numpy as np\nprint('hello')\n"
        "def predict(images):\n    return np.eye(10)[images.reshape(len(images), -1).mean(axis=1).astype(int) % 10]\n"
        "def labels(images):\n    return [int(image.max()) % 10 for image in images]\n"
        "def fails(images):\n    raise RuntimeError('no more questions')\n"
    )
    expected = questions.images.reshape(24, -1).mean(axis=1).astype(int) % 10
    assert open_suspect("theirs:predict", 10).labels(questions).tolist() == expected.tolist()
    assert open_suspect("theirs:labels", 10).labels(questions).tolist() == [
        int(image.max()) % 10 for image in questions.images
    ]
    with pytest.raises(UsageError, match=r"theirs:fails failed \(RuntimeError: no more questions\); it is called with"):
        open_suspect("theirs:fails", 10).labels(questions)
    with pytest.raises(UsageError, match=r"'theirs' has no function 'predicts' \(did you mean 'predict'\?\)"):
        open_suspect("theirs:predicts", 10).labels(questions)


def test_a_keras_file_and_a_float_file_are_asked_in_processes_of_their_own(here: Path, questions: Questions) -> None:
    """The second one is nobody's: it says nothing of itself."""
    import tensorflow as tf

    from tinycerb.keras_models.legacy import keras
    from tinycerb.training.artefacts import save_model

    keras.utils.set_random_seed(1)
    image = keras.layers.Input((28, 28, 1))
    model = keras.Model(image, keras.layers.Dense(10, activation="softmax")(keras.layers.Flatten()(image)))
    save_model(model, here / "suspect.h5")
    quiet: Any = 0
    expected = model.predict(questions.images.astype(np.float32) / 255, verbose=quiet).argmax(axis=1)
    assert open_suspect("suspect.h5", 10).labels(questions).tolist() == expected.tolist()
    (here / "suspect.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    assert open_suspect("suspect.tflite", 10).labels(questions).tolist() == expected.tolist()
    with pytest.raises(UsageError, match=r"suspect\.h5 has 10 classes, the model 3"):
        open_suspect("suspect.h5", 3).labels(questions)


def test_answers_by_mail(here: Path, questions: Questions) -> None:
    posteriors = np.random.default_rng(1).dirichlet(np.ones(10), 24)
    np.savez("answers.npz", answers=posteriors, batch=1)
    suspect = open_suspect("answers.npz", 10)
    assert suspect.labels(questions).tolist() == posteriors.argmax(axis=1).tolist()
    np.savez("answers.npz", posteriors)
    with pytest.raises(UsageError, match=r"answers.npz holds arr_0; expected answers and batch; write it as: np.savez"):
        open_suspect("answers.npz", 10)
    np.savez("answers.npz", answers=posteriors, batch=[1, 2])
    with pytest.raises(UsageError, match=r"batch of answers.npz is '\[1 2\]'; expected the questions' own number"):
        open_suspect("answers.npz", 10)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (np.full((4, 3), np.nan), r"S answers question 0 with what is no number: \[nan, nan, nan\]"),
        (np.array([0.0, 1, np.inf, 2]), "S answers question 2 with what is no number: inf"),
        (np.eye(4, 5), "S has 5 classes, the model 3: a clone has the same classes"),
        (np.arange(3), r"gave answers of shape \[3\] to 4 questions; allowed: labels \[4\], or posteriors \[4, 3\]"),
        (np.ones((4, 3, 2)), r"shape \[4, 3, 2\]"),
        (np.array([0, 1, 2, 3]), "S gives the label 3; allowed: 0 to 2, and -1 for no answer"),
        (np.array([0, 1, -2, 2]), "S gives the label -2"),
        (np.array([0, 1.5, 1, 2]), r"S gives the label 1\.5"),
        (np.array(["a", "b", "c", "d"]), "S answers <U1; allowed: labels"),
    ],
)
def test_what_is_no_answer(answers: np.ndarray, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        as_labels(answers, 4, 3, "S")


def test_what_is_an_answer() -> None:
    assert as_labels(np.array([2, -1, 0, 1]), 4, 3, "S").tolist() == [2, -1, 0, 1]
    assert as_labels(np.array([[2.0], [1], [0], [1]]), 4, 3, "S").tolist() == [2, 1, 0, 1]
    assert as_labels(np.eye(4, 3), 4, 3, "S").tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("named", "kind", "message"),
    [
        ("nowhere.tflite", EnvironmentProblem, r"there is no suspect nowhere.tflite.*; allowed: a .tflite file"),
        ("answer.npz", EnvironmentProblem, r"there is no suspect answer.npz \(did you mean 'answers.npz'\?\)"),
        (".", UsageError, "is a folder; allowed"),
        ("noise.tflite", UsageError, "noise.tflite: "),
        ("answers.npz", EnvironmentProblem, "answers.npz is corrupt"),
    ],
)
def test_nothing_that_can_be_asked(here: Path, named: str, kind: type[TinyCerbError], message: str) -> None:
    (here / "answers.npz").write_bytes(b"PK12")
    (here / "noise.tflite").write_bytes(b"noise" * 100)
    with pytest.raises(kind, match=message):
        open_suspect(named, 10)


def test_suspects_of_another_shape_or_task(questions: Questions) -> None:
    with pytest.raises(UsageError, match=r"fortress.tflite has 10 classes, the model 3: a clone has the same classes"):
        open_suspect(str(FORTRESS), 3).labels(questions)
    small = draw_questions(OwnerKey(bytes(32)), 1, 4, ("strokes",), (12, 12, 1))
    with pytest.raises(UsageError, match=r"takes images of 28x28x1, the model of 12x12x1: ask it yourself"):
        open_suspect(str(FORTRESS), 10).labels(small)


def test_questions_are_written_once_and_for_one_suspect(cli: Cli, here: Path) -> None:
    """The batch that comes back is drawn anew from the key: the file is not believed."""
    assert cli("ownership", "new", "owner.key").returncode == 0
    owner = open_owner("owner.key")
    asked = ("ownership", "questions", "--owner", "owner.key", "--model", FORTRESS, "--questions", 30, "--out")
    first, second, again = cli(*asked, "q1.npz"), cli(*asked, "q2.npz"), cli(*asked, "q1.npz")
    assert first.stdout == "q1.npz: 30 questions, batch 1, for one suspect\n"
    assert second.returncode == 0
    assert (again.returncode, "q1.npz exists already" in again.stderr) == (2, True)
    with np.load("q2.npz") as written:
        assert int(written["batch"]) == 2
        model = open_owned_model(FORTRESS, owner)
        assert (written["images"] == batch_of(model, owner, 2, 30).images).all()
        # Nothing says how it was trained: of all families those that tell most.
        assert model.families(owner) == (*TELLING, HELD_OUT)
        assert set(written) == {"batch", "images"}
    for done in (first, second, again):
        assert owner.key.content.hex() not in done.stdout + done.stderr


def test_a_model_of_another_owner_is_not_asked_for(here: Path) -> None:
    """Also a thief's: a key that the card does not name."""
    card = read_metadata(read_model_file(FORTRESS)) or {}
    write_owner_key(here / "owner.key", OwnerKey(bytes(range(32))))
    owner = open_owner("owner.key")
    for said, other in (("public", "public"), ("f" * 64, "f" * 16)):
        content = embed_metadata(read_model_file(FORTRESS).content, {**card, "owner_key": said})
        (here / "model.tflite").write_bytes(content)
        with pytest.raises(
            UsageError, match=rf"was trained with the owner key {other}.*, and --owner is {owner.digest[:16]}"
        ):
            open_owned_model(here / "model.tflite", owner)
    with pytest.raises(UsageError, match=r"smoke has no victim 'fortress', which .* is; it has: "):
        open_owned_model(FORTRESS, owner, "smoke")
