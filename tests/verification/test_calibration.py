"""The null of an owner's own: from models that have nothing to do with the owner's, noted once."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tinycerb.cli import app
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import LabelledImages
from tinycerb.errors import UsageError
from tinycerb.ownership.ledger import Null, read_notes
from tinycerb.ownership.owner import open_owner
from tinycerb.ownership.owner_key import new_owner_key, write_owner_key
from tinycerb.ownership.questions import draw_questions
from tinycerb.verification.by_population import upper_limit
from tinycerb.verification.calibration import calibrate, p0_of
from tinycerb.verification.owned_model import open_owned_model
from tinycerb.verification.train_independent import independent_labels
from tinycerb.verification.trial import population_of

FAMILIES = ("strokes", "shades")


def test_the_worst_model_of_a_family_counts() -> None:
    questions = draw_questions(open_owner("public").key, 0, 200, FAMILIES, (8, 8, 1))
    expected = np.zeros(200, int)
    # Two models: one agrees on 30 of 100 strokes, the other on 12 of 100 shades.
    first, second = np.ones(200, int), np.ones(200, int)
    first[np.flatnonzero(questions.kinds == 0)[:30]] = 0
    second[np.flatnonzero(questions.kinds == 1)[:12]] = 0
    p0 = p0_of(expected, [first, second], questions, 10)
    assert p0 == {"strokes": upper_limit(30, 100), "shades": upper_limit(12, 100)}
    assert 0.3 < p0["strokes"] < 0.45
    # Never below chance.
    assert p0_of(expected, [first * 0 + 1], questions, 3)["shades"] == pytest.approx(1 / 3)


def test_independent_networks_are_unlike_each_other_and_come_again(smoke_run) -> None:
    whole = load_dataset(smoke_run.config.data)
    few = replace(whole, train=LabelledImages(whole.train.images[:200], whole.train.labels[:200]))
    images = draw_questions(open_owner("public").key, 0, 40, FAMILIES, whole.image_shape).images
    said = independent_labels(few, images, 3)
    assert said.shape == (3, 40)
    assert len({tuple(labels) for labels in said}) == 3
    assert (independent_labels(few, images, 1)[0] == said[0]).all()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    write_owner_key(tmp_path / "owner.key", new_owner_key())
    return tmp_path / "owner.key"


def test_a_null_is_measured_once_and_tested_against(smoke_run, key: Path, monkeypatch) -> None:
    """The run's undefended victim is an independent model of its protected one; no network is trained here."""
    words = ["ownership", "calibrate", str(smoke_run.path), "--owner", str(key), "--networks", "0", "--json"]
    victim = str(smoke_run.victim("cerberos"))
    done = CliRunner().invoke(app, [*words, "--model", victim])
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout.splitlines()[-1])
    # How long it takes is said before anything else is done.
    told = [line for line in done.stderr.splitlines() if not line.startswith("model: ")]
    assert told[0].startswith("asking 2 victims of the run, and training and asking 0 small networks: about 15 seconds")
    families = {"silhouettes", "strokes", "spectral_noise"}
    # As they are drawn, and where the model is sure: independent models agree there otherwise.
    assert set(facts["p0"]) == families | {f"{name}, sure" for name in families}
    # Neither of its two victims has anything from a key.
    assert (facts["models"], facts["questions"]) == (2, 2400)
    assert all(0.1 <= rate <= 1 for rate in facts["p0"].values())
    owner = open_owner(str(key))
    model = open_owned_model(smoke_run.model("cerberos"), owner)
    assert read_notes(owner).nulls == {model.tensors: Null(facts["p0"], 2, 2400)}
    assert population_of(model, owner, ("strokes",)).measured
    # Where a file lies in no run, the null says what is asked.
    assert set(replace(model, config=None, run=None).families(owner)) == families


def test_there_must_be_a_key_and_an_independent_model(smoke_run, key: Path) -> None:
    model = open_owned_model(smoke_run.model("cerberos"), open_owner(str(key)))
    with pytest.raises(UsageError, match="owner is 'public': there is no key beside which a null is noted"):
        calibrate(smoke_run, model, open_owner("public"), 0, print)
    nothing = replace_victims(smoke_run)
    with pytest.raises(UsageError, match=r"has no converted victim without a key, and --networks is 0; allowed: 1 or"):
        calibrate(nothing, model, open_owner(str(key)), 0, print)


def replace_victims(run):
    """The run as if nothing of it were converted yet."""
    from tinycerb.run.directory import RunDirectory

    return RunDirectory(run.path.parent / "elsewhere", run.config)
