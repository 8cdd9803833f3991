"""DivQAT, outlier exposure, projected gradients."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tests.defenses.conftest import CLASSES, make_batch, small_network
from tinycerb.defenses.base import TrainingContext
from tinycerb.defenses.divqat import DivergentQuantization
from tinycerb.defenses.outlier_exposure import OutlierExposure
from tinycerb.errors import UsageError
from tinycerb.training.conflicts import project_conflicts


def test_divqat_works_in_quantization_alone_and_is_the_clipped_divergence(context: TrainingContext) -> None:
    defense = DivergentQuantization(ceiling=0.5)
    logits = [tf.constant(np.random.default_rng(0).normal(0, 3, (20, CLASSES)).astype("f"))]
    batch = make_batch(context, logits, [logits[0][:0]])
    assert list(defense.prepare(context)(batch)) == []
    slim = small_network(1)
    (term,) = defense.prepare(replace(context, stage="quantize", slim=slim))(batch)
    wanted = tf.nn.softmax(slim(batch.images)).numpy()
    found = tf.nn.softmax(logits[0]).numpy()
    divergence = (wanted * np.log(wanted / found)).sum(axis=1)
    assert (divergence > 0.5).any()
    assert (divergence < 0.5).any()
    assert float(term) == pytest.approx(-np.minimum(divergence, 0.5).mean(), abs=1e-4)


def test_outlier_exposure_is_least_for_even_answers(context: TrainingContext) -> None:
    terms = OutlierExposure().prepare(context)
    sure = tf.constant(np.eye(CLASSES, dtype="f")[[0, 1, 2]] * 5)
    even, other = (float(terms(make_batch(context, [sure], [logits]))[0]) for logits in (sure * 0, sure))
    assert even == pytest.approx(np.log(CLASSES), abs=1e-5)
    assert even < other


@pytest.mark.parametrize("make", [DivergentQuantization, OutlierExposure])
def test_negative_weights_are_named(make) -> None:
    key = next(iter(make.__dataclass_fields__))
    with pytest.raises(UsageError, match=f"{key} is -1"):
        make(**{key: -1.0})


def test_opposed_gradients_are_projected_and_others_added() -> None:
    first, second = [tf.constant([1.0, 0.0]), None], [tf.constant([-1.0, 1.0]), tf.constant([2.0])]
    (a, b) = project_conflicts([first, second])
    # By hand: first loses its part along second, (1, 0, 0) + 1/6 (-1, 1, 2); second loses its part along first.
    assert np.allclose(a.numpy(), [1 - 1 / 6 + 0, 1 / 6 + 1])
    assert np.allclose(b.numpy(), [2 / 6 + 2])
    (c,) = project_conflicts([[tf.constant([1.0, 2.0])], [tf.constant([2.0, 1.0])]])
    assert np.allclose(c.numpy(), [3, 3])
