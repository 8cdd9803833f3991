"""The gradient that a student gets from a teacher's answers, as a function of these answers."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tinycerb.keras_models.legacy import keras

# (images, the teacher's posteriors [N, classes]) -> the student's mean gradient over the batch, one vector
GradientOf = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def distillation_loss(logits: tf.Tensor, posteriors: tf.Tensor, reverse: bool) -> tf.Tensor:
    """Returns the mean KL(teacher || student), or KL(student || teacher) where `reverse`, up to what is constant.

    With one-hot posteriors the first is the cross-entropy of a label.
    """
    log_own = tf.nn.log_softmax(logits)
    if reverse:
        return tf.reduce_mean(tf.reduce_sum(tf.exp(log_own) * (log_own - tf.math.log(posteriors + 1e-9)), axis=-1))
    # TensorFlow's own cross-entropy has no second derivative by the posteriors: it would be taken for zero.
    return -tf.reduce_mean(tf.reduce_sum(posteriors * log_own, axis=-1))


def exact_gradients(student: keras.Model, reverse: bool) -> GradientOf:
    """Over all weights of the student, by differentiating; second order for whoever differentiates again."""
    student.trainable = True
    variables = student.trainable_variables

    def gradient(images: tf.Tensor, posteriors: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            loss = distillation_loss(student(images, training=False), posteriors, reverse)
        found: list[Any] = tape.gradient(loss, variables)  # type: ignore[assignment]
        return tf.concat([tf.reshape(part, [-1]) for part in found], axis=0)

    return gradient


def last_layer_gradients(student: keras.Model, reverse: bool) -> GradientOf:
    """Over the student's last dense layer alone, in closed form: mean of (dL/dz) [h, 1]^T, z = W h + b.

    dL/dz is p_C - p_V for KL(V || C), and p_C (log p_C - log p_V - KL) for KL(C || V).
    """
    features = keras.Model(student.input, student.layers[-1].input)
    kernel, bias = student.layers[-1].weights

    def gradient(images: tf.Tensor, posteriors: tf.Tensor) -> tf.Tensor:
        hidden = features(images, training=False)
        logits = hidden @ kernel + bias
        own = tf.nn.softmax(logits)
        if reverse:
            ratios = tf.nn.log_softmax(logits) - tf.math.log(posteriors + 1e-9)
            slopes = own * (ratios - tf.reduce_sum(own * ratios, axis=-1, keepdims=True))
        else:
            slopes = own - posteriors
        hidden = tf.concat([hidden, tf.ones_like(hidden[:, :1])], axis=1)
        count = tf.cast(tf.shape(hidden)[0], tf.float32)
        return tf.reshape(tf.matmul(hidden, slopes, transpose_a=True) / count, [-1])

    return gradient


STUDENT_GRADIENTS = {"exact": exact_gradients, "last_layer": last_layer_gradients}


def cosine(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Returns the cosine of two vectors."""
    return tf.reduce_sum(tf.nn.l2_normalize(first, 0) * tf.nn.l2_normalize(second, 0))


def answer_distance(kind: str, student_logits: tf.Tensor, teacher_logits: tf.Tensor) -> tf.Tensor:
    """How far a teacher's answers are from what the student would say: `l1`, `kl`, or `entropy` (from even answers)."""
    log_teacher = tf.nn.log_softmax(teacher_logits)
    if kind == "entropy":
        return tf.reduce_mean(tf.reduce_sum(tf.exp(log_teacher) * log_teacher, axis=-1))
    student_logits = tf.stop_gradient(student_logits)
    if kind == "kl":
        own = tf.nn.softmax(student_logits)
        return tf.reduce_mean(tf.reduce_sum(own * (tf.nn.log_softmax(student_logits) - log_teacher), axis=-1))
    centred = log_teacher - tf.reduce_mean(log_teacher, axis=-1, keepdims=True)
    return tf.reduce_mean(tf.abs(student_logits - centred))
