"""`tinycerb verify` on a small network that was trained with a key: what a user sees, and what is wrong with it."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pypdf import PdfReader
from typer.testing import CliRunner, Result

from tests.conftest import run_cli
from tinycerb.cli import app
from tinycerb.converters.model_file import read_model_file
from tinycerb.errors import TinyCerbError
from tinycerb.ownership.commitment import commitment
from tinycerb.ownership.owner import Owner, open_owner
from tinycerb.ownership.owner_key import new_owner_key, write_owner_key

ASSETS = Path(__file__).parents[1] / "assets"
# One network that says off the task what its teacher says, as well as a minute's training can.
SMALL = {
    "data.train_images": 1200,
    "data.validation_images": 64,
    "data.test_images": 64,
    "out_of_distribution.images": 3000,
    "out_of_distribution.families": '["strokes","gratings","shades","spectral_noise"]',
    "training.batch_size": 32,
    "training.dense_epochs": 8,
    "bench.baseline": "misdirection",
    "victims": '[{name="misdirection",defense="misdirection",response="top1",options={teacher_weight=1.0,'
    "warm_up_epochs=0.0}}]",
    "attacks": "[]",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> tuple[Path, Owner]:
    """A folder with `run`, `owner.key` and `theirs.py`, and the owner."""
    folder = tmp_path_factory.mktemp("shop")
    write_owner_key(folder / "owner.key", new_owner_key())
    settings = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
    trained = run_cli("train", "smoke", "--out", "run", "--owner", "owner.key", *settings, cwd=folder)
    assert trained.returncode == 0, trained.stderr
    converted = run_cli("convert", "run", cwd=folder)
    assert converted.returncode == 0, converted.stderr
    (folder / "theirs.py").write_text("import numpy as np\ndef constant(images):\n    return np.full(len(images), 3)\n")
    return folder, open_owner(str(folder / "owner.key"))


@pytest.fixture
def there(shop: tuple[Path, Owner], monkeypatch) -> Iterator[tuple[Path, Owner]]:
    monkeypatch.chdir(shop[0])
    return shop  # type: ignore[return-value]


def verified(*words: object, owner: str = "owner.key", model: object = "run") -> Result:
    """Calls the command here; most of what it does runs in processes of their own anyhow."""
    return CliRunner().invoke(app, ["verify", *map(str, words), "--owner", owner, "--model", str(model)])


def test_a_quantized_copy_of_the_float_network_is_a_clone(there: tuple[Path, Owner]) -> None:
    """The float network stands for a clone: other weights, nearly the same answers."""
    folder, owner = there
    line = commitment(owner.digest, read_model_file(folder / "run/victims/misdirection/model.tflite"))
    done = verified("run/victims/misdirection/float.h5", "--commitment", line, "--report", "page.pdf")
    assert done.exit_code == 0, done.output
    told = " ".join(done.output.split())
    assert "verdict this is a clone of the model: p = 0.0001, the least that so many teachers can show" in told
    assert "of 200 questions of batch 1; 1/E was below 1e-6 after" in told
    assert "those of 9,999 other keys 10%" in told
    assert "exact binomial; p0 = 0.2 of every family, not measured" in told
    assert f"commitment names this key and this model: {line}" in told
    assert all(len(each) <= 80 or line in each or "/" in each for each in done.stdout.splitlines())
    page = " ".join(PdfReader("page.pdf").pages[0].extract_text().split())
    assert "this is a clone of the model: p = 0.0001" in page
    assert "strokes 25" in page
    assert "strokes, sure 25" in page
    assert "a key whose teacher explains the answers" in page
    keys = [owner.key.content.hex(), *(str(word) for word in owner.teacher_words if word > 10**8)]
    written = [path.read_text() for path in folder.iterdir() if path.name in ("owner.key.notes.json",)]
    assert not [key for key in keys if any(key in text for text in (done.output, page, *written))]


def test_an_independent_network_is_none_and_json_says_all(there: tuple[Path, Owner]) -> None:
    done = verified(ASSETS / "one_head_control.tflite", "--json", "--questions", 200)
    assert done.exit_code == 1
    facts = json.loads(done.stdout)
    assert facts["verdict"] == "no proof"
    assert facts["p"] == max(facts["p_by_secret"], facts["p_by_population"]) > 0.001
    assert (facts["asked"], facts["batch"], facts["is_copy"]) == (200, 2, False)
    assert sum(family["asked"] for family in facts["families"].values()) == 200
    assert facts["owner_key_sha256"] == there[1].digest


def test_the_file_itself_is_called_a_copy_after_few_questions(there: tuple[Path, Owner]) -> None:
    done = verified("run/victims/misdirection/model.tflite", "--stop-early", "--json")
    facts = json.loads(done.stdout.splitlines()[-1])
    assert (facts["verdict"], facts["is_copy"], facts["population_by"]) == ("clone", True, "1/E")
    assert facts["asked"] in (20, 40, 80, 160)


def test_answers_by_mail_are_judged_against_their_own_batch(there: tuple[Path, Owner]) -> None:
    words = ["ownership", "questions", "--owner", "owner.key", "--model", "run", "--out", "q.npz", "-n", "80"]
    assert CliRunner().invoke(app, words).exit_code == 0
    asked = np.load("q.npz")
    answers = np.full(80, 3)
    np.savez("constant.npz", answers=answers, batch=asked["batch"])
    done = verified("constant.npz")
    assert done.exit_code == 1
    assert "the suspect answers 3 whatever it is asked" in " ".join(done.output.split())
    np.savez("other.npz", answers=answers, batch=int(asked["batch"]) + 100)
    refused(verified("other.npz"), 2, "was never drawn with this owner key; noted beside it: 1, 2")
    np.savez("short.npz", answers=answers[:70], batch=asked["batch"])
    refused(verified("short.npz"), 2, "gave answers of shape [70] to 80 questions")
    posteriors = np.full((80, 10), np.nan)
    np.savez("nan.npz", answers=posteriors, batch=asked["batch"])
    refused(verified("nan.npz"), 2, "answers question 0 with what is no number")
    refused(verified("constant.npz", "--stop-early"), 2, "the answers of constant.npz are all there")


def refused(done: Result, code: int, message: str) -> None:
    assert isinstance(done.exception, TinyCerbError), done.output
    assert (done.exception.exit_code, message in str(done.exception)) == (code, True), done.exception


def test_few_questions_are_no_verdict(there: tuple[Path, Owner]) -> None:
    done = verified("theirs:constant", "--questions", 3)
    assert done.exit_code == 1
    told = " ".join(done.output.split())
    assert "verdict nothing can be said" in told
    assert "3 answers are too few: even if all agreed, p would be above 0.001" in told


def test_bad_input_one_by_one(there: tuple[Path, Owner]) -> None:
    folder, owner = there
    control = ASSETS / "one_head_control.tflite"
    refused(verified(control, owner="nowhere.key"), 2, "cannot read the owner key nowhere.key")
    (folder / "noise.key").write_text("hunter2")
    refused(verified(control, owner="noise.key"), 2, "holds no owner key; make one with: tinycerb ownership new")
    (folder / "owner.key").chmod(0o644)
    try:
        refused(verified(control), 3, "others can read the owner key owner.key; mend it with: chmod 600 owner.key")
    finally:
        (folder / "owner.key").chmod(0o600)
    write_owner_key(folder / "other.key", new_owner_key(), replace=True)
    refused(verified(control, owner="other.key"), 2, "give the key that it was trained with")
    refused(verified(control, owner="public"), 2, f"was trained with the owner key {owner.digest[:16]}")
    other = commitment(owner.digest, read_model_file(control))
    refused(verified(control, "--commitment", other), 2, "names another key or another model")
    refused(verified(control, "--commitment", "nowhere.txt"), 2, "cannot read the commitment nowhere.txt")
    refused(verified(control, "--port", "/dev/null"), 2, "give either a SUSPECT")
    refused(verified(), 2, "give either a SUSPECT")
    refused(verified("nobody.tflite"), 3, "there is no suspect nobody.tflite")
    refused(verified("theirs:nobody"), 2, "'theirs' has no function 'nobody'")
