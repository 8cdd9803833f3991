"""Responses: what leaves the device instead of the plain posterior."""

import time
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.answers.posteriors import random_codes
from tinycerb.answers.normalise import normalise
from tinycerb.answers.responses import RESPONSES, check_codes, parse_response, portable_text, respond, response_text
from tinycerb.answers.responses.building_blocks.redirection import redirect
from tinycerb.errors import UsageError
from tinycerb.options import options_of

COMBINED = ("dcp,tau=.7+rounding,bits=3", "ntm+dcp+top1", "mad,epsilon=.4+modelguard_w,epsilon=.4")
KEEPING = ("top1", "rounding,bits=1", "rounding,decimals=1", "modelguard_w,epsilon=1.9", "dcp,beta=2,tau=1,budget=2")
KEEPING += ("rs,beta=2,gamma=5,preserve_top1=yes", "mad,epsilon=2,preserve_top1=1", "ntm,noise=.9,preserve_top1=true")
KEEPING += ("mad,oracle=argmax_preserving,epsilon=1.5", "modelguard_s,epsilon=.3")


def distances(answers: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return np.abs(answers.astype(int) - codes).sum(axis=1) / 256


def test_none_changes_nothing() -> None:
    codes = random_codes(200, 10)
    assert (respond(parse_response("none"), codes) == codes).all()


def test_top1_tells_the_label_and_nothing_else() -> None:
    codes = random_codes(500, 10, seed=1)
    answers = respond(parse_response("top1"), codes)
    assert len(np.unique(answers, axis=0)) == len(np.unique(codes.argmax(axis=1))) == 10
    assert (answers.max(axis=1) == 255).all()
    assert (answers == normalise(np.eye(10, dtype=np.uint8)[codes.argmax(axis=1)])).all()


@pytest.mark.parametrize("classes", [2, 3, 10, 43])
@pytest.mark.parametrize("text", KEEPING)
def test_the_label_stays_where_it_is_to_stay(text: str, classes: int) -> None:
    """The first largest code, ties included."""
    codes = random_codes(100 if "preserving" in text else 3000, classes, seed=2)
    answers = respond(parse_response(text), codes)
    assert (answers.argmax(axis=1) == codes.argmax(axis=1)).all()


def test_without_keeping_it_labels_move() -> None:
    codes = random_codes(3000, 43, seed=2)
    for text in ("rs,beta=2,gamma=5", "mad,epsilon=2", "ntm,noise=.9", "dcp,beta=2,tau=1,budget=2,preserve_top1=no"):
        assert (respond(parse_response(text), codes).argmax(axis=1) != codes.argmax(axis=1)).mean() > 0.05, text


@pytest.mark.parametrize("keep", ["true", "false"])
@pytest.mark.parametrize("budget", [0, 0.01, 0.3, 1, 2])
def test_dcp_never_exceeds_its_budget(budget: float, keep: str) -> None:
    for classes in (2, 10, 43, 100):
        codes = random_codes(2000, classes, seed=3)
        free = respond(parse_response("dcp,beta=1.5,tau=.9,budget=2,preserve_top1=false"), codes)
        answers = respond(parse_response(f"dcp,beta=1.5,tau=.9,budget={budget},preserve_top1={keep}"), codes)
        assert distances(answers, codes).max() <= budget
        if keep == "false":
            # Nothing is wasted either: what the noise wants and the budget allows.
            units = int(budget * 128) / 128
            assert distances(answers, codes) == pytest.approx(np.minimum(distances(free, codes), units))


def test_the_gate_of_dcp_is_a_step() -> None:
    codes = random_codes(5000, 10, seed=4)
    answers = respond(parse_response("dcp,tau=.5,budget=2"), codes)
    shut = codes.max(axis=1) >= 128
    assert (answers[shut] == codes[shut]).all()
    assert (distances(answers[~shut], codes[~shut]) > 0).mean() > 0.9
    assert (respond(parse_response("dcp,tau=0,budget=2"), codes) == codes).all()
    always = respond(parse_response("dcp,tau=1,budget=2,beta=.3,preserve_top1=no"), codes)
    assert (always == respond(parse_response("rs,beta=.3"), codes)).all()


@pytest.mark.parametrize("text", ["mad", "mad,oracle=argmin", "mad,surrogate=dirichlet", "modelguard_w"])
@pytest.mark.parametrize("epsilon", [0, 0.2, 1, 1.5])
def test_budgets_of_the_others(text: str, epsilon: float) -> None:
    codes = random_codes(2000, 10, seed=5)
    answers = respond(parse_response(f"{text},epsilon={epsilon}"), codes)
    assert distances(answers, codes).max() <= epsilon
    assert distances(answers, codes).mean() >= 0.8 * int(epsilon * 128) / 128


@pytest.mark.parametrize("bits", range(1, 9))
def test_rounding_keeps_few_values(bits: int) -> None:
    codes = random_codes(500, 10, seed=6)
    answers = respond(parse_response(f"rounding,bits={bits}"), codes)
    if bits == 8:
        assert (answers == codes).all()
    assert len(np.unique(np.sort(answers, axis=1), axis=0)) <= len(np.unique(np.sort(codes, axis=1), axis=0))
    assert len(np.unique(answers, axis=0)) >= 10


def test_a_noise_matrix_of_one_s_own_travels_with_the_text(tmp_path) -> None:
    matrix = np.random.default_rng(0).dirichlet(np.ones(4), 4)
    np.save(tmp_path / "matrix.npy", matrix)
    text = f"ntm,file={tmp_path / 'matrix.npy'},preserve_top1=true"
    moved = portable_text(text, 4)
    assert moved.startswith("ntm,matrix=")
    assert str(tmp_path) not in moved
    codes = random_codes(300, 4)
    assert (respond(parse_response(moved), codes) == respond(parse_response(text), codes)).all()
    plain = respond(parse_response(moved.replace(",preserve_top1=true", "")), codes)
    assert np.abs(plain - codes @ matrix).max() < 2.5
    with pytest.raises(UsageError, match="is for 4 classes; the model has 10"):
        portable_text(moved, 10)


def test_a_noise_matrix_by_parameters() -> None:
    for text in ("ntm,noise=.25", "ntm,noise=.25,seed=3"):
        rows = parse_response(text).transitions(10)  # type: ignore[attr-defined]
        assert (rows.sum(axis=1) == 256).all()
        assert np.abs(np.diag(rows).astype(int) - 192).max() <= 1
        uneven = np.ptp(rows[~np.eye(10, dtype=bool)])
        assert (uneven > 20) == ("seed" in text)


def test_the_ordered_quantizer_repeats_itself_and_its_table_ends() -> None:
    codes = random_codes(400, 10, seed=7)
    response = parse_response("modelguard_s,epsilon=.5")
    first, again = respond(response, codes), respond(response, codes)
    assert (first == again).all()
    assert distances(first, codes).max() <= 0.5
    assert len(np.unique(first, axis=0)) < len(np.unique(codes, axis=0)) / 2
    small = respond(parse_response("modelguard_s,epsilon=.5,capacity=2"), codes)
    assert len(np.unique(small, axis=0)) <= 20


# Those that need nothing but the posterior.
ALONE = sorted(set(RESPONSES) - {"grad2", "grad_head", "am", "edm"})


@given(st.lists(st.integers(0, 255), min_size=2, max_size=40).filter(any), st.sampled_from([*ALONE, *COMBINED]))
def test_every_answer_sums_to_256(row: list[int], name: str) -> None:
    codes = normalise(np.array([row], np.uint8))
    answers = respond(parse_response(name), codes)
    assert answers.dtype == np.uint8
    assert answers.sum() == 256
    assert (normalise(answers) == answers).all()


@pytest.mark.parametrize("text", COMBINED)
def test_combinations_are_one_after_the_other(text: str) -> None:
    codes = random_codes(500, 10, seed=8)
    expected = codes
    for part in text.split("+"):
        expected = respond(parse_response(part), expected)
    assert (respond(parse_response(text), codes) == expected).all()
    assert (respond(parse_response(response_text(parse_response(text))), codes) == expected).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("roundin", "did you mean 'rounding'"),
        ("rounding,bit=2", "did you mean 'bits'"),
        ("rounding,bits=x", "expected a whole number"),
        ("rounding,bits=9", "response 'rounding': option bits is 9; allowed: 1 to 8"),
        ("top1,bits=2", "its options: none"),
        ("", "unknown response ''"),
        ("dcp,tau=1.2", "response 'dcp': option tau is 1.2; allowed: 0 to 1"),
        ("dcp,tau=-.1", "allowed: 0 to 1"),
        ("dcp,tau=nan", "response 'dcp': option tau is nan; allowed: 0 to 1"),
        ("dcp,budget=-1", "response 'dcp': option budget is -1.0; allowed: 0 to 2"),
        ("dcp,budget=a", "expected a number, e.g. budget=1.0"),
        ("dcp,preserve_top1=maybe", "allowed: true, false"),
        ("dcp,tau=.7,tau=.8", "has 'tau' twice"),
        ("rs,beta=inf", "allowed: 0 to 2"),
        ("mad,oracle=argmx", "did you mean 'argmin'"),
        ("mad,surrogate=net", "allowed: uniform, dirichlet"),
        ("modelguard_s,_stored=1", "its options: epsilon, capacity"),
        ("top1+dcp", "nothing may follow 'top1'; put it last"),
        ("rounding+dcp", "nothing may follow 'rounding'"),
        ("dcp+dcp,tau=.1", "has 'dcp' twice"),
        ("dcp+none", "combines 'none' with others"),
        ("dcp+", "unknown response ''"),
        ("ntm,matrix=AAA", "has 2 bytes"),
        ("ntm,matrix=A", "is no base64"),
        ("ntm,file=/nowhere.npy", "cannot read the matrix /nowhere.npy"),
    ],
)
def test_wrong_responses_are_named(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_response(text)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.full((3, 1), 255, np.uint8), r"codes are uint8 \(3, 1\); expected uint8 \(N, classes\) with 2 to 256"),
        (np.array([[0.5, 0.5], [np.nan, 1]]), "row 1 of the posteriors is not finite"),
        (np.full((2, 2), 0.5), "posteriors are float64; expected uint8 codes"),
        (np.full((2, 2), 3, np.uint8), "row 0 of the codes sums to 6; expected 256"),
    ],
)
def test_what_is_no_posterior_is_named(codes: np.ndarray, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        respond(parse_response("dcp"), codes)


def test_wrong_redirections_are_named() -> None:
    codes = random_codes(2, 3)
    check_codes(codes)
    with pytest.raises(UsageError, match=r"epsilon is -0.1; allowed: 0 to 2"):
        redirect(codes, np.zeros((2, 3)), -0.1)
    with pytest.raises(UsageError, match=r"expected finite \(2, 3\)"):
        redirect(codes, np.full((2, 3), np.nan), 1)


@pytest.mark.parametrize(
    "text", ["top1", "rounding", "rs", "dcp", "mad", "mad,surrogate=dirichlet", "ntm", "modelguard_w"]
)
def test_responses_are_vectorised(text: str) -> None:
    """A quarter of what `make bench-responses` demands, since machines that run tests are busy."""
    codes, response = random_codes(20_000, 10, seed=1), parse_response(text)
    best = np.inf
    for _ in range(5):
        began = time.process_time()
        respond(response, codes)
        best = min(best, time.process_time() - began)
    assert len(codes) / best > 50_000


def test_what_cannot_be_deployed_says_why() -> None:
    for text in ("modelguard_s", "dcp+modelguard_s", "mad,oracle=argmax_preserving"):
        with pytest.raises(UsageError, match=r"is not deployable: .*docs/responses.md"):
            parse_response(text).device(10)


def test_every_response_explains_its_options() -> None:
    for name in RESPONSES:
        kind = RESPONSES[name]
        assert kind.name == name
        assert len(kind.__doc__) > 30
        assert set(options_of(kind)) == {field.name for field in fields(kind) if field.init}
        assert all(option.limits.meaning for option in options_of(kind).values())


def test_grad2_is_named_in_a_run_only_and_redirects_within_its_budget() -> None:
    response = parse_response("grad2,epsilon=.5")
    codes = normalise(np.random.default_rng(0).integers(1, 200, (200, 10)).astype(np.uint8))
    with pytest.raises(UsageError, match=r"--defense grad2"):
        response(codes)
    with pytest.raises(UsageError, match="not deployable"):
        response.device(10)
    directions = np.random.default_rng(1).standard_normal((200, 10))
    answers = response.answer(codes, directions)  # type: ignore[attr-defined]
    moved = np.abs(answers.astype(int) - codes).sum(axis=1)
    assert moved.max() <= 128
    assert moved.mean() > 100
