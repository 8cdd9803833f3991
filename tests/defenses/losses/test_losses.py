"""Diversity losses against their definitions, and what they are for."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.defenses.conftest import CLASSES, make_batch
from tinycerb.bench.leak import normalised_information
from tinycerb.datasets.procedural import generate
from tinycerb.defenses.base import TrainingContext
from tinycerb.defenses.cerberos import LOSSES, Cerberos
from tinycerb.defenses.edm import DiverseModels
from tinycerb.defenses.losses.diversity import DIVERSITY_LOSSES, negative_jensen_shannon, pairwise_cosines
from tinycerb.defenses.losses.loss_mix import parse_mix
from tinycerb.defenses.losses.random_teachers import fit_teachers, random_teachers, uncorrelated
from tinycerb.defenses.misdirection import Misdirection
from tinycerb.errors import UsageError
from tinycerb.keras_models.legacy import keras
from tinycerb.ownership.owner_key import OwnerKey


def random_logits(heads: int, count: int = 20) -> list[tf.Tensor]:
    rng = np.random.default_rng(0)
    return [tf.constant(rng.normal(0, 2, (count, CLASSES)).astype(np.float32)) for _ in range(heads)]


def test_jensen_shannon_is_that_of_scipy() -> None:
    from scipy.spatial.distance import jensenshannon

    first, second = random_logits(2)
    pairs = zip(tf.nn.softmax(first).numpy(), tf.nn.softmax(second).numpy(), strict=True)
    divergence = np.mean([jensenshannon(p, q, base=2) ** 2 for p, q in pairs])
    assert float(negative_jensen_shannon([first, second])) == pytest.approx(1 - divergence, abs=1e-5)


def test_every_loss_is_lower_where_it_should_be(context: TrainingContext) -> None:
    """Each against heads that do what it wants, and heads that do the opposite."""
    teachers = random_teachers(context.other_images, 3, CLASSES, context.seed)[:, :20]
    undefended = context.reference.posteriors()[:20]
    alike = [tf.constant(np.log(undefended + 1e-6))] * 3
    apart = [tf.one_hot(tf.fill([20], head), CLASSES) * 20 for head in range(3)]
    taught = [tf.constant(np.log(teacher + 1e-6)) for teacher in teachers]
    independent = random_teachers(
        context.other_images, 3, CLASSES, context.seed, uncorrelated_with=context.reference.posteriors()
    )
    told_less = [tf.constant(np.log(teacher + 1e-6)) for teacher in independent[:, :20]]
    away = [tf.constant(np.log(np.roll(np.eye(CLASSES)[undefended.argmax(1)], 1, axis=1) + 1e-6), tf.float32)] * 3
    wanted = {
        "cosine_lse": apart,
        "cosine_mean": apart,
        "neg_js": apart,
        "random_teacher": taught,
        "independent_teacher": told_less,
        "mean_head": away,
    }
    assert set(wanted) == set(LOSSES) == set(DIVERSITY_LOSSES)
    for name, heads in wanted.items():
        loss = DIVERSITY_LOSSES[name](context, 3)
        good, bad = (float(loss(make_batch(context, alike, logits))) for logits in (heads, alike))
        assert good < bad - 0.05, name


def test_cosine_mean_is_the_mean_of_the_pairs(context: TrainingContext) -> None:
    heads = random_logits(3)
    found = DIVERSITY_LOSSES["cosine_mean"](context, 3)(make_batch(context, heads, heads))
    posteriors = [tf.nn.softmax(logits).numpy() for logits in heads]
    expected = [
        (p * q).sum(1) / np.linalg.norm(p, axis=1) / np.linalg.norm(q, axis=1)
        for index, p in enumerate(posteriors)
        for q in posteriors[index + 1 :]
    ]
    assert float(found) == pytest.approx(np.mean(expected), abs=1e-5)
    assert pairwise_cosines(heads).shape == (3, 20)


def test_random_teachers_are_sure_unlike_and_repeatable(context: TrainingContext) -> None:
    first, again, other = (random_teachers(context.other_images, 3, CLASSES, seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    assert np.allclose(first.sum(axis=2), 1, atol=1e-5)
    assert first.max(axis=2).mean() > 0.8
    labels = first.argmax(axis=2)
    assert (np.bincount(labels[0], minlength=CLASSES) > 10).all(), "a teacher of one class teaches nothing"
    assert (labels[0] == labels[1]).mean() < 0.6


def teachers_by_definition(images: np.ndarray, heads: int, classes: int, seed: int) -> np.ndarray:
    """Random teachers in one piece, as published figures were made with them: not a byte may change."""
    answers = []
    for head in range(heads):
        rng = np.random.default_rng([seed, head, 7919])
        image = x = keras.layers.Input(images.shape[1:])
        for channels in (16, 32, 64):
            start: Any = keras.initializers.HeNormal(int(rng.integers(2**31)))
            x = keras.layers.Conv2D(channels, 3, 2, "same", activation="relu", kernel_initializer=start)(x)
        network = keras.Model(image, keras.layers.GlobalAveragePooling2D()(x))
        features = network(images.astype(np.float32) / 255, training=False).numpy().astype(np.float64)
        centred = features - features.mean(axis=0)
        _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
        whitened = centred @ directions[:8].T / (sizes[:8] / np.sqrt(len(images)) + 1e-9)
        logits = whitened @ rng.standard_normal((8, classes))
        logits = 4.0 * (logits - logits.mean(axis=0)) / (logits.std(axis=0) + 1e-9)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        answers.append((exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32))
    return np.stack(answers)


def test_public_teachers_are_those_of_before_and_a_key_s_are_others(context: TrainingContext) -> None:
    images = context.other_images
    public = random_teachers(images, 2, CLASSES, 1)
    np.testing.assert_array_equal(public, teachers_by_definition(images, 2, CLASSES, 1))
    words = OwnerKey(bytes(range(32))).words("teachers")
    first, again = (random_teachers(images, 2, CLASSES, 1, None, words) for _ in range(2))
    other = random_teachers(images, 2, CLASSES, 1, None, OwnerKey(bytes(32)).words("teachers"))
    np.testing.assert_array_equal(first, again)
    for one, two in ((first, public), (first, other)):
        assert (one.argmax(axis=2) == two.argmax(axis=2)).mean() < 0.6


def test_fitted_teachers_say_the_same_of_what_they_are_fitted_to_and_can_be_asked_more(
    context: TrainingContext,
) -> None:
    images, away = context.other_images, context.reference.posteriors()
    for uncorrelated_with in (None, away):
        answers = random_teachers(images, 2, CLASSES, 3, uncorrelated_with, (5, 6))
        teachers = fit_teachers(images, 2, CLASSES, 3, uncorrelated_with, (5, 6))
        for teacher, wanted in zip(teachers, answers, strict=True):
            np.testing.assert_allclose(teacher(images), wanted, atol=1e-6)
            np.testing.assert_allclose(teacher(images[:7]), wanted[:7], atol=1e-4)


def test_every_defence_with_teachers_takes_them_from_the_key(context: TrainingContext) -> None:
    """A sibling that forgot the key would train the same network with any."""
    heads = random_logits(3)
    batch = make_batch(context, heads, heads)
    for defense in (
        Cerberos(losses="random_teacher"), Cerberos(losses="independent_teacher"),
        Misdirection(heads=3), Misdirection(heads=3, teacher="independent"), DiverseModels(heads=2),
    ):  # fmt: skip
        losses = {
            words: [float(term) for term in defense.prepare(replace(context, key_words=words))(batch)]
            for words in ((), (1, 2), (3, 4))
        }
        assert defense.teachers in ("random", "independent")
        assert len({tuple(terms) for terms in losses.values()}) == 3, defense


def test_independent_teachers_tell_less_of_the_answer_they_keep_apart_from() -> None:
    """Brightness decides the answer; a teacher of all features tells some of it, an independent one hardly any."""
    rng = np.random.default_rng(2)
    images = generate(["silhouettes", "spectral_noise", "gratings"], 3000, np.zeros((1, 28, 28, 1), np.uint8), 4)
    brightness = images.mean(axis=(1, 2, 3))
    answer = np.digitize(brightness, np.quantile(brightness, [0.25, 0.5, 0.75]))
    told = {}
    for name, uncorrelated_with in (("random", None), ("independent", np.eye(4)[answer])):
        teachers = random_teachers(images, 5, 4, int(rng.integers(1000)), uncorrelated_with)
        leaks = [normalised_information(labels, answer) for labels in teachers.argmax(axis=2)]
        told[name] = sum(leak or 0.0 for leak in leaks)
        assert teachers.max(axis=2).mean() > 0.6
    assert told["independent"] < 0.5 * told["random"]


def test_uncorrelated_features_are_orthogonal_combinations() -> None:
    rng = np.random.default_rng(3)
    features, others = np.linalg.qr(rng.normal(size=(500, 12)))[0] * np.sqrt(500), rng.normal(size=(500, 3))
    others, features = others + features[:, :3], features - features.mean(axis=0)
    left = features @ uncorrelated(features, others)
    assert left.shape == (500, 9)
    assert np.abs(left.T @ (others - others.mean(axis=0))).max() < 1e-8
    # As many columns as features: the eight that correlate least stay.
    assert uncorrelated(features, rng.normal(size=(500, 12))).shape == (12, 8)


def test_a_mix_adds_its_weighted_losses(context: TrainingContext) -> None:
    heads = random_logits(3)
    batch = make_batch(context, heads, heads)
    mixed = Cerberos(losses="cosine_lse:2+random_teacher:0.5").prepare(context)(batch)
    alone = [float(DIVERSITY_LOSSES[name](context, 3)(batch)) for name in ("cosine_lse", "random_teacher")]
    assert [float(term) for term in mixed] == pytest.approx([2 * alone[0], 0.5 * alone[1]])


def test_the_reference_classifier_is_trained_once_and_knows_the_task(context: TrainingContext) -> None:
    from tinycerb.file_names import REFERENCE

    model = context.reference.model()
    images, labels = context.dataset.train.images, context.dataset.train.labels
    logits = model(images.astype(np.float32) / 255).numpy()
    assert (logits.argmax(axis=1) == labels).mean() > 0.5
    assert (context.folder / REFERENCE).exists()
    assert (context.reference.model()(images[:5].astype(np.float32) / 255).numpy() == logits[:5]).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cosine_lze", "did you mean 'cosine_lse'"),
        ("neg_js+neg_js", "twice"),
        ("neg_js:much", "allowed: a positive number"),
        ("neg_js:0", "allowed: a positive number"),
        ("", "allowed: cosine_lse"),
    ],
)
def test_wrong_mixes_are_named(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_mix(text, LOSSES, "cerberos.losses")


def test_one_head_needs_losses_for_one_head() -> None:
    assert Cerberos(heads=1, losses="random_teacher").heads == 1
    with pytest.raises(UsageError, match="2 or more"):
        Cerberos(heads=1)
