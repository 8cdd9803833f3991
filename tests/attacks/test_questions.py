"""Which images an attack asks about, in which order, and how many calls that takes. Only JBDA's clone is trained."""

from dataclasses import replace

import numpy as np
import pytest

from tests.attacks.attacker import POOL, Recorder, inputs_of
from tinycerb.attacks import AttackInputs
from tinycerb.attacks.base import check_distinct, choose_images
from tinycerb.attacks.building_blocks.checks import check_seeds, check_without_images
from tinycerb.attacks.building_blocks.repeats import (
    ask_repeatedly,
    check_repeats,
    choose_repeated,
    images_to_ask,
    mean_of_distinct,
    normalised,
)
from tinycerb.attacks.building_blocks.transfer import shuffled_images
from tinycerb.attacks.jbda import Jbda, seed_images
from tinycerb.config import AttackConfig
from tinycerb.errors import UsageError

OWN, FOREIGN = POOL[:10], POOL[10:]


def attacker(budget: int, seed: int = 1, **changes) -> AttackInputs:
    config = AttackConfig("a", budget=budget, query_pool="animal_mnist", students=("lenet",), epochs=1)
    inputs = inputs_of(Recorder(), config, lambda epoch, predict: None, seed)
    return replace(inputs, in_distribution=OWN, pool=FOREIGN, **changes)


def rows(images: np.ndarray) -> list[bytes]:
    return [image.tobytes() for image in images]


def test_images_of_the_victims_kind_are_asked_before_any_other() -> None:
    asked = rows(choose_images(attacker(25)))
    assert len(set(asked)) == 25
    assert set(rows(OWN)) < set(asked)
    assert set(asked) - set(rows(OWN)) < set(rows(FOREIGN))
    few = rows(choose_images(attacker(4)))
    assert len(set(few)) == 4
    assert set(few) < set(rows(OWN))


def test_no_budget_is_everything_once() -> None:
    assert sorted(rows(choose_images(attacker(0)))) == sorted(rows(POOL))


def test_questions_are_shuffled_and_the_seed_repeats_them() -> None:
    first, again, other = (rows(choose_images(attacker(25, seed))) for seed in (1, 1, 2))
    assert first == again
    assert set(first) != set(other)
    # Own images stand between the others, and not in the order in which they came.
    places = [first.index(image) for image in rows(OWN)]
    assert sorted(places) != list(range(10))
    assert places != sorted(places)


def test_all_images_are_shuffled_own_ones_too() -> None:
    images = rows(shuffled_images(attacker(0, seed=3)))
    order = np.random.default_rng(3).permutation(200)
    assert images == [rows(POOL)[index] for index in order]


@pytest.mark.parametrize(("budget", "pool", "own"), [(200, 190, 10), (0, 1, 0), (0, 0, 1)])
def test_a_budget_may_be_all_that_there_is(budget: int, pool: int, own: int) -> None:
    check_distinct(AttackConfig("a", budget=budget), pool, own)


def test_a_budget_above_all_that_there_is_is_refused() -> None:
    with pytest.raises(
        UsageError, match=r"attacks.a.budget is 201.*has 200 distinct images; allowed: 0 \(all\) to 200"
    ):
        check_distinct(AttackConfig("a", budget=201), 190, 10)
    with pytest.raises(UsageError, match="there is nothing to ask"):
        check_distinct(AttackConfig("a"), 0, 0)


def test_repeats_share_the_budget_or_are_paid_on_top() -> None:
    config = AttackConfig("a", budget=100)
    assert images_to_ask(config, 500, 8, charged=True) == 12
    assert images_to_ask(config, 500, 8, charged=False) == 100
    assert images_to_ask(replace(config, budget=0), 500, 8, charged=True) == 62
    assert images_to_ask(replace(config, budget=0), 500, 8, charged=False) == 500
    assert len(choose_repeated(attacker(100), 8, True)) == 12
    assert len(choose_repeated(attacker(0), 8, True)) == 25
    assert len(choose_repeated(attacker(100), 8, False)) == 100


def test_repeats_that_the_budget_does_not_pay_for_are_refused() -> None:
    # Without a budget all images pay, own ones too: ten, one of them eight times.
    check_repeats(AttackConfig("a"), 5, 5, 8, charged=True)
    config = AttackConfig("a", budget=8)
    check_repeats(config, 0, 1, 8, True)
    check_repeats(replace(config, budget=1600), 190, 10, 8, True)
    with pytest.raises(UsageError, match="budget is 7, less than one image asked 8 times; allowed: 8 or more"):
        check_repeats(replace(config, budget=7), 200, 0, 8, True)
    with pytest.raises(UsageError, match="budget is 201, but the pool"):
        check_repeats(replace(config, budget=1608), 190, 10, 8, True)
    with pytest.raises(UsageError, match="budget is 201, but the pool"):
        check_repeats(replace(config, budget=201), 190, 10, 8, False)


def test_every_repeat_is_a_question() -> None:
    inputs = attacker(0)
    answers = ask_repeatedly(inputs, OWN, 3)
    assert answers.shape == (3, 10, 2)
    assert inputs.oracle.charged == 30


def test_each_different_answer_counts_once_by_hand() -> None:
    """One image got a, a, b, a; the other one c, d, d, e."""
    a, b = [1.0, 0.0], [0.0, 1.0]
    c, d, e = [0.5, 0.5], [0.25, 0.75], [0.75, 0.25]
    answers = np.array([[a, c], [a, d], [b, d], [a, e]])
    np.testing.assert_allclose(mean_of_distinct(answers), [[0.5, 0.5], [0.5, 0.5]])
    np.testing.assert_allclose(mean_of_distinct(answers[:3]), [[0.5, 0.5], [0.375, 0.625]])
    # Answers that differ in one class alone are different.
    np.testing.assert_allclose(mean_of_distinct(np.array([[[1.0, 0.0]], [[1.0, 0.5]]])), [[1.0, 0.25]])


def test_rows_are_brought_to_one_with_half_a_code_at_least() -> None:
    found = normalised(np.array([[0.0, 1.0], [2.0, 2.0]]))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[1 / 513, 512 / 513], [0.5, 0.5]], rtol=1e-6)


def test_seeds_are_checked_against_what_there_is() -> None:
    check_seeds(AttackConfig("a", budget=40), 200, 0, 40)
    # Images of the victim's kind alone are the seeds, if there are any: 10 of them, however many are wanted.
    check_seeds(AttackConfig("a", budget=10), 200, 10, 40)
    check_seeds(AttackConfig("a", budget=10), 200, 10, 0)
    with pytest.raises(UsageError, match=r"budget is 39; allowed: 40 \(the seeds alone\) or more, e.g. 1280"):
        check_seeds(AttackConfig("a", budget=39), 200, 0, 40)
    with pytest.raises(UsageError, match="budget is 9; allowed: 10"):
        check_seeds(AttackConfig("a", budget=9), 200, 10, 0)


def test_attacks_that_make_their_questions_up_take_no_images() -> None:
    check_without_images(AttackConfig("a", budget=1), 0, 0)
    for pool, own in ((1, 0), (0, 1)):
        with pytest.raises(UsageError, match="allowed: query_pool = 'none', in_distribution_images = 0"):
            check_without_images(AttackConfig("a", budget=1), pool, own)


def test_seed_images_are_own_ones_if_there_are_any() -> None:
    assert set(rows(seed_images(attacker(0), 4))) < set(rows(OWN))
    assert sorted(rows(seed_images(attacker(0), 0))) == sorted(rows(OWN))
    foreign = rows(seed_images(attacker(0), 40)[:0]) + rows(
        seed_images(replace(attacker(0), in_distribution=OWN[:0]), 40)
    )
    assert len(set(foreign)) == 40
    assert set(foreign) < set(rows(FOREIGN))


def test_jbda_doubles_its_images_every_round_until_the_budget_is_spent() -> None:
    """10 seeds; rounds of 10 and 20; 15 more, of 40 images, use up 55. Every image moves once a round, by the step."""
    inputs = attacker(55)
    Jbda(seeds=10, step=0.1, epochs_per_round=1).run(inputs)
    asked: list[np.ndarray] = inputs.oracle.asked  # type: ignore[attr-defined]
    assert [len(images) for images in asked] == [10, 10, 20, 15]
    for current, children in enumerate(asked[1:], start=1):
        parents = np.concatenate(asked[:current]).astype(int)
        distance = np.abs(parents[:, None] - children.astype(int)).max(axis=(2, 3, 4))
        # A child of every image, or in the last round of 15 of them.
        assert len(set(distance.argmin(axis=0))) == len(children)
        assert distance.min(axis=0).max() <= 26


def test_jbda_trains_a_clone_of_its_own_only_where_images_are_to_grow() -> None:
    built: list[object] = []
    inputs = attacker(10)
    make = inputs.build
    Jbda(seeds=10, epochs_per_round=1).run(replace(inputs, build=lambda: built.append(1) or make()))
    assert inputs.oracle.charged == 10
    # The one that is measured.
    assert len(built) == 1
