"""Losses that make heads disagree off the task.

Each is made for a stage of training and then maps a batch to a scalar.
"""

import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tinycerb.defenses.base import Batch, TrainingContext
from tinycerb.defenses.losses.random_teachers import random_teachers
from tinycerb.registry import Registry

Loss = Callable[[Batch], tf.Tensor]
# (context, heads) -> loss
DIVERSITY_LOSSES: Registry[Callable[[TrainingContext, int], Loss]] = Registry("diversity loss")


def pairwise_cosines(head_logits: list[tf.Tensor]) -> tf.Tensor:
    """Returns the cosine similarity of every pair of heads' posteriors, [pairs, N], for logits [N, classes] each."""
    posteriors = [tf.nn.l2_normalize(tf.nn.softmax(logits), axis=-1) for logits in head_logits]
    return tf.stack(
        [
            tf.reduce_sum(first * second, axis=-1)
            for index, first in enumerate(posteriors)
            for second in posteriors[index + 1 :]
        ]
    )


def cosine_log_sum_exp(head_logits: list[tf.Tensor]) -> tf.Tensor:
    """Smooth maximum of the heads' pairwise cosine similarity.

    `log sum_{i<j} exp(cos(p_i, p_j)) - log P` with P pairs and p the heads' posteriors, averaged over images
    after the logarithm: 0 where all pairs are orthogonal, 1 where all heads agree. It is the smooth coherence
    of ensembles of diverse models (Kariyappa et al., ICLR 2021, eqn. 3), applied to heads.

    Args:
        head_logits: two or more tensors float [N, classes].

    Returns:
        A scalar in 0..1.
    """
    similarities = pairwise_cosines(head_logits)
    return tf.reduce_mean(tf.reduce_logsumexp(similarities, axis=0) - math.log(similarities.shape[0] or 1))


def negative_jensen_shannon(head_logits: list[tf.Tensor]) -> tf.Tensor:
    """1 minus the Jensen-Shannon divergence of the heads over its maximum, log(heads); a scalar in 0..1.

    Lin, IEEE Transactions on Information Theory 1991: entropy of the mean posterior less the mean entropy.
    """
    posteriors = tf.nn.softmax(tf.stack(head_logits))
    divergence = _entropy(tf.reduce_mean(posteriors, axis=0)) - tf.reduce_mean(_entropy(posteriors), axis=0)
    return 1 - tf.reduce_mean(divergence) / math.log(len(head_logits))


def _entropy(posteriors: tf.Tensor) -> tf.Tensor:
    return -tf.reduce_sum(posteriors * tf.math.log(posteriors + 1e-9), axis=-1)


@DIVERSITY_LOSSES.register("cosine_lse")
def _cosine_lse(context: TrainingContext, heads: int) -> Loss:
    return lambda batch: cosine_log_sum_exp(batch.other_logits)


@DIVERSITY_LOSSES.register("cosine_mean")
def _cosine_mean(context: TrainingContext, heads: int) -> Loss:
    """The plain mean instead of the smooth maximum."""
    return lambda batch: tf.reduce_mean(pairwise_cosines(batch.other_logits))


@DIVERSITY_LOSSES.register("neg_js")
def _neg_js(context: TrainingContext, heads: int) -> Loss:
    return lambda batch: negative_jensen_shannon(batch.other_logits)


@DIVERSITY_LOSSES.register("random_teacher")
def _random_teacher(context: TrainingContext, heads: int) -> Loss:
    """Cross-entropy of each head to its own fixed random teacher, so that no posterior is left to put together."""
    return _imitation(_teachers(context, heads))


@DIVERSITY_LOSSES.register("independent_teacher")
def _independent_teacher(context: TrainingContext, heads: int) -> Loss:
    """The same with teachers whose features are not correlated with the undefended answer: less of it to tell."""
    return _imitation(_teachers(context, heads, context.reference.posteriors()))


def _teachers(context: TrainingContext, heads: int, uncorrelated_with: np.ndarray | None = None) -> np.ndarray:
    images, classes = context.other_images, context.dataset.classes
    return random_teachers(images, heads, classes, context.seed, uncorrelated_with, context.key_words)


def _imitation(answers: np.ndarray) -> Loss:
    wanted = tf.constant(answers)

    def loss(batch: Batch) -> tf.Tensor:
        targets = tf.gather(wanted, batch.other_indices, axis=1)
        entropies = [
            tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets[head], logits))
            for head, logits in enumerate(batch.other_logits)
        ]
        return tf.add_n(entropies) / len(entropies)

    return loss


@DIVERSITY_LOSSES.register("mean_head")
def _mean_head(context: TrainingContext, heads: int) -> Loss:
    """Cosine of the heads' mean posterior and that of an undefended network: what averaging attackers end up with."""
    undefended = tf.constant(context.reference.posteriors())

    def loss(batch: Batch) -> tf.Tensor:
        mean = tf.reduce_mean(tf.nn.softmax(tf.stack(batch.other_logits)), axis=0)
        away = tf.gather(undefended, batch.other_indices)
        cosines = tf.reduce_sum(tf.nn.l2_normalize(mean, -1) * tf.nn.l2_normalize(away, -1), axis=-1)
        return tf.reduce_mean(cosines)

    return loss
