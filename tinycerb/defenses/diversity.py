"""Losses that make heads disagree."""

import math

import tensorflow as tf


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
    posteriors = [tf.nn.l2_normalize(tf.nn.softmax(logits), axis=-1) for logits in head_logits]
    similarities = [
        tf.reduce_sum(first * second, axis=-1)
        for index, first in enumerate(posteriors)
        for second in posteriors[index + 1 :]
    ]
    pairs = len(similarities)
    smooth_maximum = tf.reduce_logsumexp(tf.stack(similarities), axis=0) - math.log(pairs)
    return tf.reduce_mean(smooth_maximum)
