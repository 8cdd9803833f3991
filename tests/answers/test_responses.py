"""Responses: what leaves the device instead of the plain posterior."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycerb.answers.normalise import normalise
from tinycerb.answers.responses import RESPONSES, parse_response, respond
from tinycerb.errors import UsageError


def posteriors(seed: int, classes: int = 10) -> np.ndarray:
    codes = np.random.default_rng(seed).dirichlet(np.full(classes, 0.3), 200) * 255
    return normalise(np.maximum(codes.astype(np.uint8), np.eye(classes, dtype=np.uint8)[codes.argmax(axis=1)]))


def test_none_changes_nothing() -> None:
    codes = posteriors(0)
    assert (respond(parse_response("none"), codes) == codes).all()


def test_top1_tells_the_label_and_nothing_else() -> None:
    codes = posteriors(1)
    answers = respond(parse_response("top1"), codes)
    assert (answers.argmax(axis=1) == codes.argmax(axis=1)).all()
    assert len(np.unique(answers, axis=0)) == len(np.unique(codes.argmax(axis=1)))
    assert (answers.max(axis=1) == 255).all()


@pytest.mark.parametrize("bits", range(1, 9))
def test_rounding_keeps_the_label_and_few_values(bits: int) -> None:
    codes = posteriors(2)
    raw = parse_response(f"rounding,bits={bits}")(codes)
    answers = respond(parse_response(f"rounding,bits={bits}"), codes)
    assert (answers.sum(axis=1) == 256).all()
    assert len(np.unique(raw)) <= 2**bits + 1
    assert (raw[np.arange(len(raw)), codes.argmax(axis=1)] == raw.max(axis=1)).all()
    if bits == 8:
        assert (answers == codes).all()


@given(st.lists(st.integers(0, 255), min_size=2, max_size=60).filter(any), st.sampled_from(sorted(RESPONSES)))
def test_every_answer_sums_to_256(row: list[int], name: str) -> None:
    codes = normalise(np.array([row], np.uint8))
    assert respond(parse_response(name), codes).sum() == 256


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("roundin", "did you mean 'rounding'"),
        ("rounding,bit=2", "did you mean 'bits'"),
        ("rounding,bits=x", "expected a int"),
        ("rounding,bits=9", "allowed: 1 to 8"),
        ("top1,bits=2", "its options: none"),
        ("", "unknown response ''"),
    ],
)
def test_wrong_responses_are_named(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_response(text)
