"""Responses that make one answer of all heads of a file."""

import numpy as np
import pytest

from tests.answers.posteriors import random_codes
from tinycerb.answers.responses import (
    check_heads,
    combiner_of,
    parse_response,
    respond,
    stored_response,
)
from tinycerb.answers.responses.building_blocks.redirection import redirect
from tinycerb.answers.responses.combining import Combiner
from tinycerb.errors import UsageError


def combiner(text: str) -> Combiner:
    found = combiner_of(parse_response(text))
    assert found is not None
    return found


def heads_of(rows: int, classes: int, count: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """Logits that mean nothing, and posteriors of every kind."""
    logits = np.random.default_rng(rows).integers(-128, 128, (count, rows, classes)).astype(np.int8)
    return logits, np.stack([random_codes(count, classes, seed=classes + row) for row in range(rows)], axis=1)


@pytest.mark.parametrize("classes", [2, 10, 43])
def test_grad_head_redirects_the_first_head_by_the_second_one_s_scores(classes: int) -> None:
    logits, codes = heads_of(2, classes)
    answers = combiner("grad_head,epsilon=.8").combine(logits, codes)
    assert (answers == redirect(codes[:, 0], logits[:, 1], 0.8)).all()
    assert np.abs(answers.astype(int) - codes[:, 0]).sum(axis=1).max() <= 0.8 * 256
    rows, best = np.arange(len(codes)), logits[:, 1].argmax(axis=1)
    assert (answers[rows, best] >= codes[rows, 0, best]).all()
    kept = combiner("grad_head,epsilon=1.5,preserve_top1=yes").combine(logits, codes)
    assert (kept.argmax(axis=1) == codes[:, 0].argmax(axis=1)).all()


@pytest.mark.parametrize("tau", [0.3, 0.5, 0.7])
def test_am_is_its_formula_on_the_grid_and_honest_at_tau(tau: float) -> None:
    logits, codes = heads_of(2, 10)
    answers = combiner(f"am,tau={tau}").combine(logits, codes)
    largest = codes[:, 0].max(axis=1) / 256
    share = 1 / (1 + np.exp(np.clip(1000 * (largest - tau), -500, 500)))[:, np.newaxis]
    exact = (1 - share) * codes[:, 0] + share * codes[:, 1]
    # One code away from tau the formula mixes in two hundredths of the other network at most; so far it is a switch.
    apart = np.abs(largest - tau) >= 1 / 256
    assert np.abs(answers - exact)[apart].max() <= 0.02 * 256
    assert 0.05 < (largest < tau).mean() < 0.95
    tied = np.array([[[128, 128], [0, 256 - 1]]])
    assert (combiner("am,tau=.5").combine(logits[:1, :, :2], tied) == [[128, 128]]).all()
    assert (combiner("am,tau=.51").combine(logits[:1, :, :2], tied) == [[0, 255]]).all()


@pytest.mark.parametrize("classes", [2, 10, 43, 100])
@pytest.mark.parametrize("members", [2, 3, 5])
def test_edm_s_hash_is_the_published_one(classes: int, members: int) -> None:
    logits, codes = heads_of(members + 1, classes)
    largest = codes[:, -1].max(axis=1) / 256
    level = np.floor((classes * largest - 1) * 2 / (classes - 1))
    expected = (2 * codes[:, -1].argmax(axis=1) + level.astype(int)) % members
    response = combiner(f"edm,members={members}")
    assert (response.combine(logits, codes) == codes[np.arange(len(codes)), expected]).all()
    # Two levels per class: of two classes four buckets, which a fifth member would never be in.
    assert set(expected) == set(range(min(members, 2 * classes)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("am,tau=1.5", "response 'am': option tau is 1.5; allowed: 0 to 1"),
        ("am,tau=-.1", "allowed: 0 to 1"),
        ("am,nu=1000", "response 'am' has no option 'nu'; its options: tau"),
        ("grad_head,epsilon=-1", "response 'grad_head': option epsilon is -1.0; allowed: 0 to 2"),
        ("edm,members=1", "response 'edm': option members is 1; allowed: 2 to 256"),
        ("dcp+am", "'am' reads the heads of a file; put it first"),
        ("am+grad_head", "'grad_head' reads the heads of a file; put it first"),
    ],
)
def test_wrong_ones_are_named(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_response(text)


@pytest.mark.parametrize("text", ["am", "edm", "grad_head"])
def test_a_single_posterior_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=rf"response '{text}' reads . heads of a file.*Train such a file: --defense"):
        respond(parse_response(text), random_codes(3, 10))


@pytest.mark.parametrize(
    ("text", "heads", "combined", "message"),
    [
        ("grad_head", 1, "", "makes one answer of 2 heads that are trained for it; this file has 1 that answer alone"),
        ("am", 2, "", "this file has 2 that answer alone. Train such a file: --defense am"),
        ("edm,members=3", 3, "edm", "of 4 heads that are trained for it; this file has 3"),
        ("dcp", 2, "am", "2 heads are trained for 'am'.*let it begin with 'am', as in am.rounding"),
        ("grad_head", 2, "am", "heads are trained for 'am'"),
    ],
)
def test_what_does_not_fit_a_file_s_heads_is_refused(text: str, heads: int, combined: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_heads(parse_response(text), heads, combined)


def test_a_stored_text_may_name_no_file(tmp_path) -> None:
    np.save(tmp_path / "matrix.npy", np.eye(10))
    text = f"ntm,file={tmp_path / 'matrix.npy'}"
    assert parse_response(text).name == "ntm"
    with pytest.raises(UsageError, match="it may name no other file"):
        stored_response(text)
    assert stored_response("ntm,noise=.2+dcp").name == "ntm+dcp"
