"""The pieces of a recipe: optimizers, losses, the average of weights, the warm-up; each against its equation."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tinycerb.compression.pruner import NothingPruned
from tinycerb.config import TrainingConfig, load_config
from tinycerb.datasets.images import LabelledImages
from tinycerb.defenses.base import no_terms
from tinycerb.errors import UsageError
from tinycerb.jobs.check_names import check_names
from tinycerb.keras_models.legacy import keras
from tinycerb.training.objective import TrainingStep
from tinycerb.training.optimizers import OPTIMIZERS, parse_optimizer
from tinycerb.training.recipe import Recipe
from tinycerb.training.stages import stages_of
from tinycerb.training.task_loss import Distillation, TaskLoss, balanced_weights
from tinycerb.training.weight_average import WeightAverage

RNG = np.random.default_rng(8)
LOGITS = RNG.normal(0, 2, (5, 4)).astype(np.float32)
LABELS = np.array([0, 3, 1, 1, 2], np.int32)
IMAGES = tf.zeros((5, 8, 8, 1))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def loss_of(loss: TaskLoss, *heads: np.ndarray) -> float:
    return float(loss(IMAGES, tf.constant(LABELS), [tf.constant(head) for head in heads]))


def entropies(targets: np.ndarray, logits: np.ndarray = LOGITS) -> np.ndarray:
    return -(targets * log_softmax(logits)).sum(axis=1)


ONE_HOT = np.eye(4)[LABELS]


def test_the_plain_loss_is_the_mean_cross_entropy_of_all_heads() -> None:
    expected = (entropies(ONE_HOT).mean() + entropies(ONE_HOT, LOGITS[::-1]).mean()) / 2
    assert loss_of(TaskLoss(), LOGITS, LOGITS[::-1].copy()) == pytest.approx(expected, rel=1e-5)


def test_smoothing_gives_a_share_of_the_label_to_all_classes() -> None:
    assert loss_of(TaskLoss(0.2), LOGITS) == pytest.approx(entropies(0.8 * ONE_HOT + 0.05).mean(), rel=1e-5)


def test_balanced_weights_make_classes_count_the_same() -> None:
    labels = np.array([0] * 6 + [1] * 3 + [2], np.int32)
    weights = balanced_weights(LabelledImages(np.zeros((10, 8, 8, 1), np.uint8), labels), 3)
    assert np.bincount(labels, weights[labels]) == pytest.approx([10 / 3] * 3)
    drawn = np.array([0.5, 2.0, 1.0, 3.0], np.float32)
    expected = (drawn[LABELS] * entropies(ONE_HOT)).mean()
    assert loss_of(TaskLoss(class_weights=drawn), LOGITS) == pytest.approx(expected, rel=1e-5)


def test_a_student_that_answers_as_its_teacher_has_nothing_to_learn_from_it() -> None:
    distilled = Distillation(lambda images: tf.constant(LOGITS + 1), weight=1.0, temperature=3.0)
    assert loss_of(TaskLoss(distillation=distilled), LOGITS) == pytest.approx(0, abs=1e-5)


def test_distillation_is_a_divergence_of_softened_answers_beside_the_labels() -> None:
    taught = LOGITS[::-1].copy()
    distilled = Distillation(lambda images: tf.constant(taught), weight=0.7, temperature=2.0)
    target, answer = log_softmax(taught / 2), log_softmax(LOGITS / 2)
    divergence = 4 * (np.exp(target) * (target - answer)).sum(axis=1)
    expected = (0.3 * entropies(ONE_HOT) + 0.7 * divergence).mean()
    assert loss_of(TaskLoss(distillation=distilled), LOGITS) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_goes_downhill_and_spares_biases_from_decay(name: str) -> None:
    kernel, bias = tf.Variable(tf.constant([[1.0, -1.0]])), tf.Variable(tf.constant([1.0, -1.0]))
    text = name if name == "adam" else f"{name},weight_decay=0.5"
    optimizer = parse_optimizer(text).build([kernel, bias])
    optimizer.learning_rate.assign(0.01)
    optimizer.apply_gradients([(tf.zeros_like(kernel), kernel), (tf.zeros_like(bias), bias)])
    decay = 0 if name == "adam" else 0.01 * 0.5
    assert np.allclose(kernel.numpy(), [[1 - decay, decay - 1]], atol=1e-7)
    assert bias.numpy().tolist() == [1, -1]
    optimizer = OPTIMIZERS[name]().build([kernel, bias])
    before = kernel.numpy()
    optimizer.apply_gradients([(tf.ones_like(kernel), kernel), (-tf.ones_like(bias), bias)])
    assert (kernel.numpy() < before).all()
    assert (bias.numpy() > [1, -1]).all()


def test_sgd_moves_by_nesterov_s_momentum() -> None:
    weight = tf.Variable(tf.zeros(1))
    optimizer = parse_optimizer("sgd,momentum=0.5,weight_decay=0").build([weight])
    optimizer.learning_rate.assign(0.1)
    for _ in range(2):
        optimizer.apply_gradients([(tf.ones(1), weight)])
    # Velocities -0.1 and -0.15; each step is half of the velocity and the gradient's part.
    assert weight.numpy()[0] == pytest.approx(-(0.05 + 0.1) - (0.075 + 0.1), rel=1e-5)


def test_an_average_forgets_its_beginning_and_then_follows_with_its_decay() -> None:
    model = keras.Sequential([keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros", input_shape=(1,))])
    (weight,) = model.variables
    average, expected = WeightAverage(model, 0.5), 0.0
    for step in range(1, 8):
        weight.assign([[float(step)]])
        average.update()
        expected += (1 - min(0.5, (1 + step) / (10 + step))) * (step - expected)
        with average.in_the_model():
            assert float(weight.numpy()[0, 0]) == pytest.approx(expected, rel=1e-5)
        assert float(weight.numpy()[0, 0]) == step
    other = WeightAverage(model, 0.5)
    other.restore(average.state())
    other.hand_over()
    assert float(weight.numpy()[0, 0]) == pytest.approx(expected, rel=1e-5)


def test_a_step_averages_after_the_optimizer_and_after_what_is_pruned() -> None:
    class Holding(NothingPruned):
        def hold(self) -> None:
            kernel.assign(tf.zeros_like(kernel))

    image = keras.layers.Input((8, 8, 1))
    model = keras.Model(image, keras.layers.Dense(4)(keras.layers.Flatten()(image)))
    kernel, bias = model.trainable_variables
    kernel.assign(tf.zeros_like(kernel))
    data = LabelledImages(RNG.integers(0, 256, (5, 8, 8, 1), dtype=np.uint8), LABELS)
    step = TrainingStep(model, no_terms, data, data.images[:0], Holding(), recipe=Recipe(average_decay=0.9))
    for _ in range(3):
        step(np.arange(5, dtype=np.int32), np.zeros(0, np.int32), 0.1, 0.0)
    assert step.average is not None
    with step.average.in_the_model():
        assert (kernel.numpy() == 0).all()
        assert (np.abs(bias.numpy()) > 0).all()


def test_the_learning_rate_grows_and_then_falls_on_a_cosine() -> None:
    training = TrainingConfig(dense_epochs=4, pruning_epochs=2, recovery_epochs=4, warm_up_epochs=2)
    stages = stages_of(training, "aware")
    rates = [stages["dense"].learning_rate(epoch) for epoch in (0, 1, 2, 6)]
    assert rates == pytest.approx([0, 1e-3, 2e-3, 1e-3])
    assert stages["prune"].learning_rate(6) == rates[-1]
    assert stages["recover"].learning_rate(6) == 2e-3
    without = stages_of(replace(training, warm_up_epochs=0), "aware")
    assert without["dense"].learning_rate(5) == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.optimizer=adanw", "unknown optimizer 'adanw' (did you mean 'adamw'?); known: adam, adamw, sgd"),
        ("training.optimizer='sgd,momentum=1'", "optimizer 'sgd': option momentum is 1.0; allowed: 0 to below 1"),
        ("training.augmentation=flop", "unknown augmentation 'flop' (did you mean 'flip'?)"),
        ("distillation.backbone=resnet9", "unknown distillation.backbone 'resnet9' (did you mean 'resnet8'?)"),
        ("training.warm_up_epochs=9", "training.warm_up_epochs is 9; allowed: 0 to 1, the dense epochs"),
        ("training.class_weights=balance", "training.class_weights is 'balance' (did you mean 'balanced'?)"),
        ("training.label_smoothing=1", "training.label_smoothing is 1.0; allowed: 0 to below 1"),
        ("training.average_decay=1", "training.average_decay is 1.0; allowed: 0 (no average) to below 1"),
        ("distillation.temperature=0", "distillation.temperature is 0.0; allowed: above 0, at most 100"),
    ],
)
def test_a_wrong_recipe_is_told_before_any_work(override: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_names(load_config("smoke", [override]))
    assert message in str(caught.value)
