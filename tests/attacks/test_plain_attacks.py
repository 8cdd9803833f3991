"""What KnockoffNets, label-only stealing, ActiveThief and JBDA ask and train on; nothing is trained here."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.attacks.attacker import POOL, Recorder, inputs_of
from tinycerb.attacks.activethief import ActiveThief
from tinycerb.attacks.base import choose_images
from tinycerb.attacks.building_blocks.distill import settings_of
from tinycerb.attacks.building_blocks.transfer import shuffled_images
from tinycerb.attacks.jbda import Jbda, seed_images
from tinycerb.attacks.knockoff import Knockoff
from tinycerb.attacks.label_only import LabelOnly, smoothed_labels
from tinycerb.config import AttackConfig
from tinycerb.errors import UsageError

CONFIG = AttackConfig("a", budget=20, students=("lenet",))


class Unsure(Recorder):
    """Whose largest entry is not 1."""

    def query(self, images: np.ndarray) -> np.ndarray:
        return np.abs(super().query(images) - np.float32(0.25))


def measure(epoch: int, predict: Any) -> None:
    """Of a clone."""


def test_knockoff_trains_on_the_answers_to_its_images(monkeypatch) -> None:
    called: list[tuple] = []
    monkeypatch.setattr("tinycerb.attacks.building_blocks.distill.distill", lambda *given: called.append(given))
    oracle = Unsure()
    inputs = replace(inputs_of(oracle, CONFIG, measure, seed=4), in_distribution=POOL[:6], pool=POOL[6:])
    monkeypatch.setattr(type(inputs), "build_members", lambda self: ["student"])
    Knockoff().run(inputs)
    ((members, images, answers, settings, seed, on_epoch, on_progress),) = called
    (asked,) = oracle.asked
    assert (asked == choose_images(inputs)).all()
    assert (images == asked).all()
    assert len(images) == 20
    assert (answers == Unsure().query(images)).all()
    assert (members, settings, seed) == (["student"], settings_of(inputs), 4)
    assert (on_epoch, on_progress) == (inputs.on_epoch, inputs.on_progress)


def test_label_only_trains_on_the_largest_entries(monkeypatch) -> None:
    called: list[tuple] = []
    monkeypatch.setattr("tinycerb.attacks.label_only.train_clone", lambda *given: called.append(given))
    oracle = Unsure()
    inputs = inputs_of(oracle, CONFIG, measure)
    LabelOnly(smoothing=0.5).run(inputs)
    ((given, images, labels),) = called
    assert given is inputs
    assert (images == choose_images(inputs)).all()
    assert (images == oracle.asked[0]).all()
    assert (labels == smoothed_labels(Unsure().query(images), 0.5)).all()
    # Half of it spread over two classes.
    assert set(labels.ravel()) == {0.25, 0.75}


def test_labels_are_smoothed_over_all_classes_by_at_most_nine_tenths() -> None:
    labels = smoothed_labels(np.array([[0.1, 0.2, 0.7], [0.6, 0.4, 0]]), 0.3)
    assert labels.dtype == np.float32
    np.testing.assert_allclose(labels, [[0.1, 0.1, 0.8], [0.8, 0.1, 0.1]], rtol=1e-6)
    assert LabelOnly(0.9).smoothing == 0.9
    for wrong in (-0.1, 0.91):
        with pytest.raises(UsageError, match=f"attack 'label_only': option smoothing is {wrong}; allowed: 0 to 0.9"):
            LabelOnly(wrong)


# Ten images of one pixel; the clone says that number k is of class 1 with probability k / 10.
TEN = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1)


@pytest.fixture
def active(monkeypatch):
    """Runs ActiveThief on ten images; returns how many are asked each time, which in all, and what is trained."""

    def run(attack: ActiveThief, budget: int) -> tuple[list[int], list[int], list[tuple]]:
        trained: list[tuple] = []

        def selector(*given: Any):
            trained.append(given)
            return lambda images: np.stack([1 - images.ravel() / 10, images.ravel() / 10], axis=1)

        monkeypatch.setattr("tinycerb.attacks.activethief.train_selector", selector)
        monkeypatch.setattr("tinycerb.attacks.activethief.train_clone", lambda *given: trained.append(given))
        oracle = Recorder()
        inputs = replace(inputs_of(oracle, replace(CONFIG, budget=budget), measure), pool=TEN, in_distribution=TEN[:0])
        attack.run(inputs)
        asked = np.concatenate(oracle.asked)
        (given, images, answers) = trained[-1]
        assert given is inputs
        assert (images == asked).all()
        assert (answers == Recorder().query(asked)).all()
        for given, images, answers, epochs in trained[:-1]:
            assert given is inputs
            assert (images == asked[: len(images)]).all()
            assert (answers == Recorder().query(images)).all()
            assert epochs == attack.selector_epochs
        assert asked[0, 0, 0, 0] == shuffled_images(inputs)[0, 0, 0, 0]
        return [len(each) for each in oracle.asked], asked.ravel().tolist(), trained

    return run


def test_active_thief_asks_about_the_least_certain_next(active) -> None:
    """A fifth of seven is one; then three each, from the middle outwards."""
    sizes, asked, trained = active(ActiveThief(rounds=2, selector_epochs=3), 7)
    assert (sizes, len(trained)) == ([1, 3, 3], 3)
    left = [number for number in (5, 4, 6, 3, 7, 2, 8, 1, 9, 0) if number != asked[0]]
    assert (set(asked[1:4]), set(asked[4:])) in [(set(left[:3]), set(left[3:6]))]


def test_active_thief_without_a_budget_asks_about_everything(active) -> None:
    sizes, asked, _ = active(ActiveThief(strategy="k_center", rounds=4, start=0.5), 0)
    # From 5 to 10 in four steps: 5, 6.25, 7.5, 8.75, 10, of which halves become even.
    assert sizes == [5, 1, 2, 1, 1]
    assert sorted(asked) == list(range(10))


def test_active_thief_asks_about_one_at_least_and_about_nothing_in_no_round(active) -> None:
    sizes, _, trained = active(ActiveThief(rounds=5, start=0.001), 3)
    assert (sizes, len(trained)) == ([1, 1, 1], 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"strategy": "random"}, "option strategy is 'random'; allowed: entropy, k_center"),
        ({"rounds": 0}, "option rounds is 0; allowed: 1 to 1000"),
        ({"rounds": 1001}, "option rounds is 1001; allowed: 1 to 1000"),
        ({"start": 0.0}, "option start is 0.0; allowed: 0.001 to 1"),
        ({"start": 1.01}, "option start is 1.01; allowed: 0.001 to 1"),
        ({"selector_epochs": 0}, "option selector_epochs is 0; allowed: 1 to 10000"),
        ({"selector_epochs": 10001}, "option selector_epochs is 10001; allowed: 1 to 10000"),
    ],
)
def test_what_active_thief_cannot_do(options: dict[str, Any], said: str) -> None:
    ActiveThief(rounds=1, start=0.001, selector_epochs=1)
    ActiveThief(rounds=1000, start=1, selector_epochs=10000)
    with pytest.raises(UsageError, match=f"^attack 'activethief': {said}$"):
        ActiveThief(**options)


def test_jbda_by_hand(monkeypatch) -> None:
    """Two seeds; rounds of 2 and, held by the reservoir, of 3; one more uses up eight. Pixels move by a tenth."""
    trained: list[tuple] = []
    student = object()
    oracle = Recorder()
    config = replace(CONFIG, budget=8)
    inputs = replace(
        inputs_of(oracle, config, measure, seed=4), pool=POOL[:9], in_distribution=POOL[10:16], build=lambda: student
    )

    def signs_of(clone: object):
        assert clone is student

        def signs(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
            assert labels.dtype == np.int32
            assert (labels == Recorder().query(images).argmax(axis=1)).all()
            return np.ones(images.shape, np.float32)

        return signs

    monkeypatch.setattr("tinycerb.attacks.jbda.gradient_signs", signs_of)
    for name in ("train_selector", "train_clone"):
        monkeypatch.setattr(f"tinycerb.attacks.jbda.{name}", lambda *given: trained.append(given))
    Jbda(seeds=2, step=0.1, epochs_per_round=3, reservoir_after=1, reservoir=3, flip_every=2).run(inputs)
    assert [len(each) for each in oracle.asked] == [2, 2, 3, 1]
    images = np.concatenate(oracle.asked)
    assert (images[:2] == seed_images(inputs, 2)).all()
    random, known = np.random.default_rng([4, 6]), 2
    # The third round goes down again.
    for children, step in zip(oracle.asked[1:], (25.5, 25.5, -25.5), strict=True):
        parents = images[random.permutation(known)[: len(children)]].astype(int)
        assert (children == np.clip(np.rint(parents + step), 0, 255)).all()
        known += len(children)
    assert [len(each[1]) for each in trained] == [2, 4, 7, 8]
    for given, asked, answers, *more in trained:
        assert given is inputs
        assert (asked == images[: len(asked)]).all()
        assert (answers == Recorder().query(asked)).all()
        assert more == ([3, student] if len(asked) < 8 else [])


def test_jbda_whose_seeds_use_up_the_budget_builds_no_clone_to_grow_with(monkeypatch) -> None:
    trained: list[tuple] = []
    monkeypatch.setattr("tinycerb.attacks.jbda.train_clone", lambda *given: trained.append(given))
    oracle = Recorder()
    inputs = replace(
        inputs_of(oracle, replace(CONFIG, budget=6), measure), in_distribution=POOL[:6], build=lambda: 1 / 0
    )
    Jbda().run(inputs)
    ((_, images, _),) = trained
    assert sorted(image.tobytes() for image in images) == sorted(image.tobytes() for image in POOL[:6])


@pytest.mark.parametrize(
    ("option", "lowest", "highest"),
    [
        ("seeds", 0, 10**7),
        ("step", 1 / 255, 1),
        ("epochs_per_round", 1, 1000),
        ("reservoir_after", 0, 1000),
        ("reservoir", 1, 10**7),
        ("flip_every", 0, 1000),
    ],
)
def test_options_of_jbda_have_their_ends(option: str, lowest: Any, highest: Any) -> None:
    for allowed in (lowest, highest):
        Jbda(**{option: allowed})
    for wrong in (lowest - 0.001, highest + 0.001):
        with pytest.raises(
            UsageError, match=f"^attack 'jbda': option {option} is {wrong}; allowed: {lowest:g}( .\\w+.)? to"
        ):
            Jbda(**{option: wrong})


def test_jbdas_budget_pays_for_its_seeds() -> None:
    Jbda(seeds=20).check(CONFIG, 200, 0)
    Jbda(seeds=21).check(CONFIG, 200, 20)
    for seeds, own in ((21, 0), (0, 21)):
        with pytest.raises(UsageError, match=r"attacks.a.budget is 20; allowed: 21 \(the seeds alone\)"):
            Jbda(seeds=seeds).check(CONFIG, 200, own)
