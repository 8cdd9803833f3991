"""The loop of MAZE and DFME: a generator seeks where clone and victim differ, by finite differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tinycerb.attacks.base import AttackInputs
from tinycerb.attacks.building_blocks.finite_differences import forward_gradient

if TYPE_CHECKING:
    import tensorflow as tf

    from tinycerb.attacks.building_blocks.distill import Loss


@dataclass(frozen=True)
class Objective:
    """What the clone minimises and the generator maximises.

    Attributes:
        loss: of answers [N, classes] and logits [N, classes], [N].
        victim_terms: answers to the numbers whose weighted sum stands for the loss, float [N, classes].
    """

    loss: Loss
    victim_terms: Callable[[tf.Tensor | np.ndarray], tf.Tensor]


@dataclass(frozen=True)
class Recipe:
    """How many calls go where.

    Attributes:
        batch: images of a step.
        directions: random directions per image of a generator's step.
        student_steps: fresh batches after a generator's step, besides the one that it has asked itself.
        replay_steps: steps on remembered answers after them.
        step: length of a finite difference, before the tanh.
        generator_learning_rate: of the generator's Adam.
        latent: dimensions of the noise.
        offset: where images start, before the tanh.
    """

    batch: int
    directions: int
    student_steps: int
    replay_steps: int
    step: float
    generator_learning_rate: float
    latent: int
    offset: float


def split_gradient(
    objective: Objective, clone: Any
) -> tuple[Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]], Callable[[np.ndarray], np.ndarray]]:
    """Splits the gradient of the generator's loss -L(T(x), S(x)) into the clone's share and weights for the victim's.

    Args:
        objective: L.
        clone: S, images in 0..1 to logits.

    Returns:
        Two functions. The first, of points before the tanh [N, ...] and answers [N, classes], gives the exact gradient
        with the answers held fixed [N, ...], and the weights w = d(-L)/d(terms) [N, classes]; the victim's share is
        the gradient of sum_k w_k terms(T(x))_k. The second gives the terms of answers, [N, classes].
    """
    import tensorflow as tf

    from tinycerb.attacks.building_blocks.generator import to_unit_range

    @tf.function(reduce_retracing=True)
    def shares(points, terms):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([points, terms])
            logits = clone(to_unit_range(points), training=False)
            value = -tf.reduce_sum(objective.loss(terms, logits))
        return tape.gradient(value, points), tape.gradient(value, terms)

    def exact_and_weights(points: np.ndarray, answers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        exact, weights = shares(points, objective.victim_terms(answers))
        return exact.numpy(), weights.numpy()

    return exact_and_weights, lambda answers: np.asarray(objective.victim_terms(answers))


def steal(inputs: AttackInputs, objective: Objective, recipe: Recipe) -> None:
    """Runs the attack and trains the clone on all remembered answers in the end."""
    import tensorflow as tf

    from tinycerb.attacks.building_blocks.generator import Generator, to_codes
    from tinycerb.attacks.building_blocks.synthesis import Questions, Students

    students = Students(
        inputs.build_members(), lambda answers, logits: objective.loss(objective.victim_terms(answers), logits)
    )
    generator = Generator(inputs.image_shape, recipe.latent, recipe.generator_learning_rate, recipe.offset, inputs.seed)
    questions = Questions(inputs)
    exact_and_weights, terms_of = split_gradient(objective, students.members[0])
    random = np.random.default_rng([inputs.seed, 8])

    def along(before_tanh, gradient):
        # Its gradient with respect to the generator is the one wanted: the estimate, carried on by the chain rule.
        return tf.reduce_sum(before_tanh * gradient) / tf.cast(tf.shape(before_tanh)[0], tf.float32)

    def teach(images: np.ndarray) -> np.ndarray:
        answers = questions.ask(images)
        students.learn(images, answers, questions.learning_rate())
        return answers

    while questions.left:
        if questions.left >= recipe.batch * (1 + recipe.directions):
            noise = generator.noise(recipe.batch)
            points = generator.before_tanh(noise)
            answers = teach(to_codes(points))
            exact, weights = exact_and_weights(points, answers)

            def victim_values(moved: np.ndarray, weights: np.ndarray = weights) -> np.ndarray:
                return (weights * terms_of(questions.ask(to_codes(moved)))).sum(axis=1)

            at_points = (weights * terms_of(answers)).sum(axis=1)
            estimate = forward_gradient(victim_values, points, at_points, recipe.step, recipe.directions, random)
            generator.minimise(along, noise, exact + estimate)
        for _ in range(recipe.student_steps):
            if questions.left:
                teach(generator.images(min(recipe.batch, questions.left)))
        for _ in range(recipe.replay_steps):
            students.learn(*questions.replay(recipe.batch), questions.learning_rate())
    questions.finish(students)
