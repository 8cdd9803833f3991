"""Gradients that attacks follow: the clone's own, exact; the victim's, by finite differences."""

import numpy as np
import tensorflow as tf

from tests.attacks.attacker import POOL
from tests.benchmarks.gradient_masking import measure
from tinycerb.attacks.building_blocks.contrast import Contrast, class_weights, soft_weights
from tinycerb.attacks.building_blocks.data_free import Objective, split_gradient
from tinycerb.attacks.building_blocks.finite_differences import forward_gradient, unit_directions
from tinycerb.attacks.building_blocks.generator import Generator, build_generator, to_codes, to_unit_range
from tinycerb.attacks.building_blocks.students import STUDENTS
from tinycerb.attacks.building_blocks.synthesis import absolute_difference, centred_log, divergence, floored
from tinycerb.attacks.disguide import disagreement_loss
from tinycerb.attacks.jbda import gradient_signs
from tinycerb.attacks.jbda_tr import towards
from tinycerb.keras_models.legacy import keras

SHAPE = (4, 4, 1)


def dense_network(seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [keras.layers.Flatten(input_shape=SHAPE), keras.layers.Dense(9, "tanh"), keras.layers.Dense(3)]
    )


def test_jbda_follows_the_sign_of_the_clones_gradient() -> None:
    clone = dense_network(1)
    images, labels = (
        np.random.default_rng(1).integers(20, 230, (6, *SHAPE), np.uint8),
        np.array([0, 1, 2] * 2, np.int32),
    )
    signs = gradient_signs(clone)(images, labels)

    def posterior(batch: np.ndarray) -> np.ndarray:
        return tf.nn.softmax(clone(batch.astype(np.float64) / 255)).numpy()[np.arange(6), labels]

    for row in range(4):
        for column in range(4):
            nudge = np.zeros((1, *SHAPE))
            nudge[0, row, column] = 2
            slope = posterior(images + nudge) - posterior(images - nudge)
            clear = np.abs(slope) > 1e-5
            assert (np.sign(slope) == signs[:, row, column, 0])[clear].all()


def test_jbda_tr_moves_towards_the_target_within_its_reach() -> None:
    clone = dense_network(2)
    images = np.random.default_rng(2).integers(0, 256, (20, *SHAPE), np.uint8)
    targets = np.arange(20, dtype=np.int32) % 3
    children = towards(images, targets, gradient_signs(clone), 0.1, 8)
    assert np.abs(children.astype(int) - images).max() <= 26
    before, after = (
        tf.nn.softmax(clone(x / np.float32(255))).numpy()[np.arange(20), targets] for x in (images, children)
    )
    assert (after > before).mean() > 0.95


def test_the_generator_raises_the_disagreement_of_the_students() -> None:
    keras.utils.set_random_seed(3)
    members = [STUDENTS["lenet"]((28, 28, 1), 4) for _ in range(2)]
    generator = Generator((28, 28, 1), 16, 2e-3, 0.0, 1)
    loss = disagreement_loss(members, 0.0)
    noise = generator.noise(64)
    values = [generator.minimise(loss, noise) for _ in range(15)]
    # The loss is the negative disagreement.
    assert values[-1] < 1.5 * values[0] < 0


def test_a_diverse_batch_costs_less() -> None:
    """With the disagreement the same (0), sum_k p_k log p_k is smallest where all classes are even."""
    keras.utils.set_random_seed(3)
    network = STUDENTS["lenet"]((28, 28, 1), 4)
    value = float(disagreement_loss([network, network], 1.0)(tf.zeros((2, 28, 28, 1))))
    posterior = tf.nn.softmax(network(tf.fill((1, 28, 28, 1), 0.5))).numpy()[0]
    np.testing.assert_allclose(value, (posterior * np.log(posterior)).sum(), atol=1e-4)


def test_the_split_gradient_agrees_with_full_finite_differences() -> None:
    """On a smooth victim with many directions, exact share + estimate is the gradient of the whole loss."""
    clone, victim = dense_network(4), dense_network(5)
    points = np.random.default_rng(4).normal(size=(3, *SHAPE)).astype(np.float32)

    def answers_of(where: np.ndarray) -> np.ndarray:
        return tf.nn.softmax(victim(to_unit_range(where))).numpy()

    for objective in (Objective(absolute_difference, centred_log), Objective(divergence, floored)):
        answers = answers_of(points)
        exact_and_weights, terms_of = split_gradient(objective, clone)
        exact, weights = exact_and_weights(points, answers)

        def value(where: np.ndarray, weights=weights, terms_of=terms_of) -> np.ndarray:
            return (weights * terms_of(answers_of(where))).sum(axis=1)

        random = np.random.default_rng(6)
        split = exact + forward_gradient(value, points, value(points), 1e-2, 3000, random)
        with tf.GradientTape() as tape:
            x = tf.constant(points)
            tape.watch(x)
            images = to_unit_range(x)
            terms = objective.victim_terms(tf.nn.softmax(victim(images)))
            loss = -tf.reduce_sum(objective.loss(terms, clone(images)))
        whole = tf.convert_to_tensor(tape.gradient(loss, x)).numpy()
        assert np.corrcoef(split.ravel(), whole.ravel())[0, 1] > 0.97
        np.testing.assert_allclose(np.linalg.norm(split), np.linalg.norm(whole), rtol=0.1)


def test_directions_are_of_length_one() -> None:
    lengths = np.linalg.norm(unit_directions(np.random.default_rng(1), (50, *SHAPE)).reshape(50, -1), axis=1)
    np.testing.assert_allclose(lengths, 1, rtol=1e-5)


def test_logits_are_recovered_from_posteriors_up_to_a_constant() -> None:
    logits = np.array([[1.0, 0.5, -1.5]], np.float32)
    np.testing.assert_allclose(centred_log(tf.nn.softmax(logits)).numpy(), logits, atol=1e-5)
    assert np.isfinite(centred_log(np.eye(3, dtype=np.float32)).numpy()).all()
    assert float(absolute_difference(centred_log(tf.nn.softmax(logits)), tf.constant(logits + 7))[0]) < 1e-5
    assert abs(float(divergence(tf.nn.softmax(logits), tf.constant(logits - 2))[0])) < 1e-5


def test_the_generator_fits_any_image_and_may_start_dark() -> None:
    assert build_generator((28, 28, 1), 128).count_params() == 460_772
    assert build_generator((30, 33, 3), 8).output_shape == (None, 30, 33, 3)
    dark, even = (Generator((28, 28, 1), 16, 1e-3, offset, 1).images(32).mean() for offset in (-1.5, 0.0))
    assert dark < 60 < 100 < even < 155
    assert to_codes(np.array([-50.0, 0.0, 50.0])).tolist() == [0, 128, 255]


def test_contrast_pulls_images_of_like_certain_answers_together() -> None:
    answers = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [1 / 3, 1 / 3, 1 / 3]], np.float32)
    weights = soft_weights(tf.constant(answers)).numpy()
    np.testing.assert_allclose(np.diag(weights), 0)
    np.testing.assert_allclose(weights[0, 1], 1, atol=1e-5)
    assert np.abs(weights[0, 2:]).max() < 1e-5
    # The rare class weighs more.
    assert class_weights(answers).argmax() == 2
    assert np.diff(class_weights(np.eye(2)[[0] * 50 + [1]])) > 0


def test_contrast_changes_features_and_leaves_a_student_that_answers() -> None:
    keras.utils.set_random_seed(1)
    student = STUDENTS["lenet"]((28, 28, 1), 2)
    before = [weights.copy() for weights in student.get_weights()]
    answers = np.eye(2, dtype=np.float32)[(POOL.mean(axis=(1, 2, 3)) > 60).astype(int)]
    Contrast(student, 1e-3).learn(POOL[:64], POOL[64:], answers[64:], 1, np.random.default_rng(1))
    after = student.get_weights()
    assert all((old != new).any() for old, new in zip(before[:6], after[:6], strict=True) if old.any())
    assert np.isfinite(student(POOL / np.float32(255)).numpy()).all()


def test_an_8_bit_model_hides_its_slope_from_small_steps(smoke_run) -> None:
    """The float network shows it at 1e-2, the int8 file only at steps of many codes."""
    rows = {step: row for step, *row in measure(smoke_run, "undefended", 300)}
    assert rows[1e-2][0] > 0.9
    # What little moves is rounding: unlike the slope, and far larger.
    assert abs(rows[1e-3][1]) < 0.25
    assert rows[1e-3][2] > 10
    assert rows[0.5][1] > rows[1e-3][1] + 0.2
    assert rows[0.5][2] < 3
