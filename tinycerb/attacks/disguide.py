"""DisGUIDE (Rosenthal et al., AAAI 2023): made-up images on which two clones disagree; no gradient of the victim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tinycerb.attacks.base import AttackInputs
from tinycerb.attacks.building_blocks.checks import check_without_images
from tinycerb.attacks.registry import ATTACKS
from tinycerb.options import check_options, option

if TYPE_CHECKING:
    import tensorflow as tf

    from tinycerb.keras_models.legacy import keras

_ANSWERS = ("soft", "hard")


@ATTACKS.register("disguide")
@dataclass(frozen=True)
class DisGuide:
    """Trains a generator towards images on which two clones disagree, and the clones on the answers to them.

    The generator's loss (the paper's equations 3 to 5) asks the victim nothing, so neither 8-bit inputs nor random
    heads blind it. The clone answers with the mean of both students. Published: 20 million calls, batches of 256, SGD;
    here the budget is a fraction of that (0.2 % for 40,000), the students learn with Adam, and in the end train on
    all stored answers once more.
    """

    answers: str = option("soft", "soft learns from posteriors, hard from the label alone", choices=_ANSWERS)
    diversity: float = option(
        0.2, "weight of the term that spreads a batch over the classes; the paper's lambda, 0.2 for ten classes", 0, 100
    )
    batch: int = option(128, "images of a step", 8, 4096)
    generator_steps: int = option(1, "steps of the generator per fresh batch; published: 1", 1, 100)
    replay_steps: int = option(3, "steps on remembered answers per fresh batch; published: 3", 0, 100)
    generator_learning_rate: float = option(1e-3, "of the generator's Adam; published: 1e-4 over 80,000 steps", 1e-6, 1)
    latent: int = option(128, "dimensions of the generator's noise; published: 256", 1, 4096)
    offset: float = option(
        0.0, "where images start before the tanh: -1.5 for tasks on dark ground, as an attacker knows", -10, 10
    )

    def __post_init__(self) -> None:
        check_options(self)

    check = staticmethod(check_without_images)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        # Here, so that the table of attacks can be read without TensorFlow.
        from tinycerb.attacks.building_blocks.distill import soft_cross_entropy
        from tinycerb.attacks.building_blocks.generator import Generator
        from tinycerb.attacks.building_blocks.synthesis import Questions, Students

        members = [inputs.build() for _ in range(max(2, inputs.config.members))]
        students = Students(members, soft_cross_entropy)
        generator = Generator(inputs.image_shape, self.latent, self.generator_learning_rate, self.offset, inputs.seed)
        questions = Questions(inputs, as_labels if self.answers == "hard" else None)
        loss = disagreement_loss(members, self.diversity)
        while questions.left:
            rate = questions.learning_rate()
            for _ in range(self.generator_steps):
                generator.minimise(loss, generator.noise(self.batch))
            images = generator.images(min(self.batch, questions.left))
            students.learn(images, questions.ask(images), rate)
            for _ in range(self.replay_steps):
                students.learn(*questions.replay(self.batch), rate)
        questions.finish(students)


def as_labels(answers: np.ndarray) -> np.ndarray:
    """Returns one-hot rows of the answers' largest entries, float32 [N, classes]."""
    return np.eye(answers.shape[1], dtype=np.float32)[answers.argmax(axis=1)]


def disagreement_loss(members: Sequence[keras.Model], diversity: float) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns the generator's loss: -mean std_i softmax(S_i(x)) + diversity * sum_k mean p_k log mean p_k."""
    import tensorflow as tf

    from tinycerb.attacks.building_blocks.generator import to_unit_range

    def loss(before_tanh):
        images = to_unit_range(before_tanh)
        posteriors = tf.stack([tf.nn.softmax(member(images, training=False)) for member in members])
        # Without the floor, the gradient of the square root is infinite where all students agree wholly.
        spread = tf.sqrt(tf.math.reduce_variance(posteriors, axis=0) + 1e-12)
        classes = tf.reduce_mean(posteriors, axis=(0, 1))
        return -tf.reduce_mean(spread) + diversity * tf.reduce_sum(classes * tf.math.log(classes + 1e-12))

    return loss
