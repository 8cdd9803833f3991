"""Attacks on random heads: what averages, what takes heads apart, what re-rolls them, and what it costs."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binomtest

from tests.attacks.conftest import FOREIGN
from tests.attacks.known_heads import KnownHeads, inputs_on
from tinycerb.answers.selection import HEAD_SELECTIONS, simulated_device
from tinycerb.attacks import attack_of
from tinycerb.attacks.building_blocks.linking import answers_of, distinct_answers, link
from tinycerb.attacks.building_blocks.repeats import ask_repeatedly, images_to_ask
from tinycerb.attacks.demultiplex import Demultiplex
from tinycerb.attacks.lsb_jitter import jittered
from tinycerb.attacks.repeat_vote import geometric, majority, median
from tinycerb.attacks.reset import ask_after_reset
from tinycerb.config import AttackConfig
from tinycerb.errors import UsageError
from tinycerb.oracle import OracleSpec, SealedOracle

HeadCodes = Callable[[str], np.ndarray]


def sealed(smoke_run, selection: str) -> SealedOracle:
    return SealedOracle(OracleSpec(str(smoke_run.model("cerberos")), "probs", selection, 3))


def attack_on(oracle, name: str, options: dict, images: np.ndarray = FOREIGN[:400], **settings):
    """Runs an attack; returns what it noted and its clone's predictor."""
    config = AttackConfig("a", name, options=options, students=("lenet",), **{"epochs": 1, **settings})
    notes, predictors = {}, []
    attack = attack_of(config)
    attack.check(config, len(images), 0)
    attack.run(inputs_on(oracle, images, config, lambda epoch, predict: predictors.append(predict), notes))
    return notes, predictors[-1]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("repeat_mean", {"repeats": 8}),
        ("repeat_vote", {"repeats": 8, "rule": "geometric"}),
        ("lsb_jitter", {"repeats": 8}),
        ("augmentation_mean", {"repeats": 8, "flip": True}),
        ("confidence_gated", {"repeats": 8}),
    ],
)
def test_repeats_are_charged(smoke_run, name: str, options: dict) -> None:
    with sealed(smoke_run, "random") as oracle:
        notes, predict = attack_on(oracle, name, options, budget=240)
        assert (notes["images"], oracle.charged) == (30, 240)
    assert predict(FOREIGN[:5]).shape == (5, 10)


def test_a_budget_counts_calls_unless_told_to_count_images() -> None:
    config = AttackConfig("a", budget=240)
    assert (images_to_ask(config, 400, 8, True), images_to_ask(config, 400, 8, False)) == (30, 240)
    config = AttackConfig("a", budget=0)
    assert (images_to_ask(config, 400, 8, True), images_to_ask(config, 400, 8, False)) == (50, 400)


def test_a_budget_below_one_image_is_refused() -> None:
    config = AttackConfig("a", "repeat_mean", options={"repeats": 8}, budget=7)
    with pytest.raises(UsageError, match=r"budget is 7.*8 or more"):
        attack_of(config).check(config, 100, 0)
    config = AttackConfig("a", "repeat_mean", options={"repeats": 8}, budget=801)
    attack_of(config).check(config, 100, 0)
    with pytest.raises(UsageError, match="distinct images"):
        attack_of(config).check(config, 99, 0)


def test_the_mean_of_repeats_approaches_the_mean_head(head_codes: HeadCodes) -> None:
    """Eight repeats leave about 1 / sqrt(8) of one answer's distance."""
    answers = (head_codes("cerberos")[:1000] / 256).astype(np.float32)
    images, left = FOREIGN[:1000], {}
    for repeats in (1, 8):
        oracle = KnownHeads(images, answers, 5)
        inputs = inputs_on(oracle, images, AttackConfig("a"), lambda epoch, predict: None)
        mean = ask_repeatedly(inputs, images, repeats).mean(axis=0)
        left[repeats] = np.abs(mean - answers.mean(axis=1)).sum(axis=1).mean()
    assert left[8] < 0.45 * left[1]


def test_votes() -> None:
    answers = np.array([[[0.6, 0.4, 0]], [[0.6, 0.4, 0]], [[0, 0.1, 0.9]]], np.float32)
    assert majority(answers).tolist() == [[1, 0, 0]]
    assert np.allclose(median(answers), np.array([[0.6, 0.4, 1 / 512]]) / (1 + 1 / 512))
    # One answer that finds class 0 impossible is enough.
    assert geometric(answers).argmax() == 1
    tied = answers[1:]
    assert majority(tied).argmax() == 2


def test_demultiplexing_finds_all_answers_and_links_them_better_than_chance(head_codes: HeadCodes) -> None:
    answers = (head_codes("cerberos")[:1000] / 256).astype(np.float32)
    images = FOREIGN[:1000]
    inputs = inputs_on(KnownHeads(images, answers, 5), images, AttackConfig("a"), lambda epoch, predict: None)
    slots, counts = distinct_answers(ask_repeatedly(inputs, images, 12))
    assert slots.shape[1] == counts.max() == 3
    complete = (counts == 3) & [len(np.unique(rows, axis=0)) == 3 for rows in answers]
    assert complete.mean() > 0.8
    claimed = answers_of(slots, link(slots, counts, 1)[0])[complete]
    # Names of heads are arbitrary: the best of six ways to name them; the test counts one head of each image.
    right = max(
        ((claimed[:, 0] == answers[complete][:, way[0]]).all(axis=1).sum(), way)
        for way in itertools.permutations(range(3))
    )[0]
    assert 6 * binomtest(int(right), int(complete.sum()), 1 / 3, alternative="greater").pvalue < 0.001
    shares = [
        np.mean([(claimed[:, h] == answers[complete][:, way[h]]).all(axis=1).mean() for h in range(3)])
        for way in itertools.permutations(range(3))
    ]
    assert max(shares) > 0.6


def test_demultiplexing_a_device(smoke_run) -> None:
    with sealed(smoke_run, "random") as oracle:
        notes, predict = attack_on(oracle, "demultiplex", {"repeats": 10}, budget=600)
        assert oracle.charged == 600
    assert notes["heads"] == 3
    # Heads that have hardly been trained differ little: few links are clear, yet most are right, see above.
    assert 0 < notes["linked"] < 1
    assert notes["clone_of"] in ("0", "1", "2", "mean")
    assert predict(FOREIGN[:5]).shape == (5, 10)
    with sealed(smoke_run, "keyed") as oracle:
        notes, _ = attack_on(oracle, "demultiplex", {"repeats": 10}, budget=400)
        assert oracle.charged == 400
    assert (notes["heads"], notes["clone_of"]) == (1, "answers")


def test_students_correct_links(head_codes: HeadCodes) -> None:
    """Links stay what they are where students agree, and every answer still has its head."""
    answers, images = (head_codes("cerberos")[:200, :2] / 256).astype(np.float32), FOREIGN[:200]
    config = AttackConfig("a", students=("lenet",), epochs=3)
    inputs = inputs_on(KnownHeads(images, answers, 5), images, config, lambda epoch, predict: None)
    slots, counts = distinct_answers(answers.transpose(1, 0, 2))
    right = {}
    for rounds in (0, 1):
        chosen, _ = Demultiplex(student_rounds=rounds).linked(inputs, images, slots, counts)
        complete = counts == 2
        assert (chosen[complete].sum(axis=1) == 1).all()
        hits = (answers_of(slots, chosen) == answers).all(axis=2)[complete].mean()
        right[rounds] = max(hits, 1 - hits)
    assert right[0] > 0.6
    assert right[1] > right[0] - 0.05


def test_jitter_rolls_keyed_heads_again_and_coarse_ones_hardly() -> None:
    copies = jittered(FOREIGN[:500], 8, 1)
    difference = np.abs(copies[1:].astype(int) - copies[0])
    assert (difference.sum(axis=(2, 3, 4)) == 1).all()
    assert not difference[:, :, 1:-1, 1:-1].any()
    assert len(np.unique(copies[:, 0].reshape(8, -1), axis=0)) == 8
    quantized, device = (copies.astype(np.int16) - 128).astype(np.int8), simulated_device(1)
    again, met = {}, {}
    for name in ("keyed", "coarse_keyed"):
        heads = np.stack([HEAD_SELECTIONS[name](copy, 3, device) for copy in quantized])
        again[name] = (heads[1:] != heads[0]).mean()
        met[name] = np.mean([len(np.unique(of_image)) for of_image in heads.T])
    assert again["keyed"] > 0.6
    assert met["keyed"] > 2.7
    assert again["coarse_keyed"] <= again["keyed"] / 10


def test_jitter_on_a_device_sees_keyed_answers_jump(smoke_run) -> None:
    jumps = {}
    for selection in ("keyed", "coarse_keyed"):
        with sealed(smoke_run, selection) as oracle:
            jumps[selection] = attack_on(oracle, "lsb_jitter", {"repeats": 4}, budget=400)[0]["jumps"]
    assert jumps["keyed"] > 0.2
    assert jumps["coarse_keyed"] <= jumps["keyed"] / 10


def test_resets_beat_a_constant_seed_and_nothing_else(smoke_run, head_codes: HeadCodes) -> None:
    answers = (head_codes("cerberos")[:60] / 256).astype(np.float32)
    images = FOREIGN[:60]
    same = {}
    for selection in ("seeded", "random"):
        with sealed(smoke_run, selection) as oracle:
            inputs = inputs_on(oracle, images, AttackConfig("a"), lambda epoch, predict: None)
            got = np.concatenate([ask_after_reset(inputs, images[index : index + 1]) for index in range(60)])
            plain = oracle.query(images)
        for kind, answer in (("reset", got), ("plain", plain)):
            same[selection, kind] = max((answer == answers[:, head]).all(axis=1).mean() for head in range(3))
    assert same["seeded", "reset"] == 1
    assert max(same["seeded", "plain"], same["random", "reset"], same["random", "plain"]) < 0.8


def test_the_reset_attack_says_what_it_found(smoke_run) -> None:
    found = {}
    for selection in ("seeded", "random"):
        with sealed(smoke_run, selection) as oracle:
            notes, _ = attack_on(oracle, "reset", {}, budget=100)
            assert oracle.charged == 100
        found[selection] = (notes["answers_without_resets"], notes["answers_after_resets"])
    assert found == {"seeded": (3, 1), "random": (3, 3)}
