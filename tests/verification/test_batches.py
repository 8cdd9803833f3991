"""Batches of questions: half of them as they are drawn, half those about which the model is sure."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.verification.small_owner import FAMILIES, MINE, Case
from tinycerb.ownership.owner import open_owner
from tinycerb.ownership.questions import SURE, draw_questions
from tinycerb.verification.batches import batch_of
from tinycerb.verification.owned_model import OwnedModel, open_owned_model
from tinycerb.verification.suspects.tflite_file import artifact_logits

FORTRESS = Path(__file__).parents[1] / "assets" / "fortress.tflite"
PUBLIC = open_owner("public")


@pytest.fixture(scope="module")
def model() -> OwnedModel:
    return open_owned_model(FORTRESS, PUBLIC, "fortress")


def test_half_of_a_batch_is_drawn_and_half_is_sure(model: OwnedModel) -> None:
    batch = batch_of(model, PUBLIC, 1, 40)
    families = ("silhouettes", "strokes", "shades", "blurred_noise", "glyphs")
    assert batch.families == (*families, *(name + SURE for name in families))
    assert batch.at_random.tolist() == [True, False] * 20
    assert np.bincount(batch.kinds).tolist() == [4] * 10
    # Every beginning has about as many of each.
    assert np.bincount(batch.part(0, 20).kinds).tolist() == [2] * 10
    assert (batch.images[::2] == draw_questions(PUBLIC.key, 1, 40, families, (28, 28, 1)).images[:20]).all()
    margins = model.margins(batch.images)
    for kind in range(5):
        assert margins[batch.kinds == kind + 5].min() > margins[batch.kinds == kind].mean()


def test_a_batch_is_drawn_again_and_no_image_comes_twice(model: OwnedModel) -> None:
    first, again, other = (batch_of(model, PUBLIC, number, 30).images for number in (3, 3, 4))
    assert (first == again).all()
    assert len({image.tobytes() for image in (*first, *other)}) == 60


def test_small_batches_are_whole(model: OwnedModel) -> None:
    for count in (1, 2, 11):
        batch = batch_of(model, PUBLIC, 1, count)
        assert (len(batch), len(batch.images), batch.images.any()) == (count, count, True)
        assert batch.kinds.max() < len(batch.families)


def test_margins_are_those_of_the_file(model: OwnedModel) -> None:
    questions = draw_questions(PUBLIC.key, 1, 10, FAMILIES, (28, 28, 1))
    images, logits = questions.images, artifact_logits(FORTRESS, model.artifact, questions.images)
    assert logits.shape == (10, 1, 10)
    # The committed network has one head and answers the first of its classes.
    assert (logits[:, 0].argmax(axis=1) == model.labels(questions)).all()
    ordered = sorted(logits[0, 0].tolist())
    assert model.margins(images)[0] == ordered[-1] - ordered[-2]


def test_the_secret_is_asked_only_about_what_was_drawn(case_of) -> None:
    """Answers to sure questions change nothing about the rank: there the owner's teacher was not drawn by chance."""
    case: Case = case_of(MINE)
    sure = replace(case.questions, families=(*FAMILIES[:2], *(name + SURE for name in FAMILIES[2:])))
    told = replace(case, questions=sure, p0=dict.fromkeys(sure.families, 0.2))
    labels = case.model.copy()
    first = told.judge(labels).secret
    labels[~sure.at_random] = 0
    assert told.judge(labels).secret == first
    assert told.judge(labels).agreed < len(labels)
    labels[sure.at_random] = 0
    assert told.judge(labels).secret != first
