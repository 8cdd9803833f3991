"""Students that start from public weights: trained on labelled photographs first, then given the victim's classes.

No student here is larger than a microcontroller's victim, and no hub has weights for networks that small, so the
attacker makes them: as anybody could, once, before there is a victim.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinycerb.attacks.building_blocks.distill import DistillSettings, distill, predictor
from tinycerb.datasets.images import LabelledImages
from tinycerb.errors import UsageError
from tinycerb.events import OnProgress
from tinycerb.keras_models.legacy import keras


@dataclass(frozen=True)
class PretrainingRecipe:
    """How a student learns labelled photographs.

    Attributes:
        epochs: passes over the photographs and their mirror images.
        batch_size: images in a step.
        learning_rate: peak of Adam's cosine.
        held_out: one photograph of so many is kept from training, to measure on.
    """

    epochs: int = 6
    batch_size: int = 128
    learning_rate: float = 2e-3
    held_out: int = 20


RECIPE = PretrainingRecipe()


@dataclass(frozen=True)
class Pretrained:
    """What a student has learned of photographs.

    Attributes:
        weights: of all its layers but the last, in their order.
        accuracy: on photographs that were held out, 0 to 1.
    """

    weights: Sequence[np.ndarray]
    accuracy: float


def pretrain(
    build: Callable[[int], keras.Model],
    photographs: LabelledImages,
    seed: int,
    on_progress: OnProgress,
    recipe: PretrainingRecipe = RECIPE,
) -> Pretrained:
    """Trains a student on labelled photographs.

    Args:
        build: makes an untrained student for so many classes; TensorFlow's own seed decides its weights.
        photographs: uint8 images [N, height, width, channels] and int32 labels [N], 0 to classes - 1.
        seed: order of the images.
        on_progress: takes progress events.
        recipe: how it is trained.

    Raises:
        UsageError: its last layer alone does not make its classes.
    """
    network = build(int(photographs.labels.max()) + 1)
    weights_of_body(network)
    held_out = np.arange(len(photographs.labels)) % recipe.held_out == 0
    shown, kept = photographs.chosen(~held_out), photographs.chosen(held_out)
    images = np.concatenate([shown.images, shown.images[:, :, ::-1]])
    answers = np.eye(network.output_shape[-1], dtype=np.float32)[np.tile(shown.labels, 2)]
    settings = DistillSettings(recipe.epochs, recipe.batch_size, recipe.learning_rate)
    distill([network], images, answers, settings, seed, lambda epoch, predict: None, on_progress)
    accuracy = float((predictor([network])(kept.images).argmax(axis=1) == kept.labels).mean())
    return Pretrained([variable.numpy() for variable in weights_of_body(network)], accuracy)


def start_from(weights: Sequence[np.ndarray], student: keras.Model) -> None:
    """Gives an untrained student the weights of a pretrained one; its last layer, which names the classes, stays new.

    Raises:
        UsageError: they are those of another network.
    """
    body = weights_of_body(student)
    if [variable.shape for variable in body] != [array.shape for array in weights]:
        raise UsageError(f"the student {student.name} cannot start from weights of another network")
    for variable, array in zip(body, weights, strict=True):
        variable.assign(array)


def weights_of_body(student: keras.Model) -> list:
    """Returns the variables of all layers but the last, in their order.

    Raises:
        UsageError: the last layer has no weights, or there are none before it.
    """
    *body, last = student.layers
    variables = [variable for layer in body for variable in layer.weights]
    if not last.weights or not variables:
        raise UsageError(
            f"the student {student.name} cannot be pretrained: its last layer, {last.name}, must be the one that makes "
            "its logits, behind others with weights; choose another student or leave pretraining out"
        )
    return variables
