"""`python -m tinycerb.verification.make_teachers ORDER`: fits the owner's teacher as training did, beside TensorFlow.

The order is one JSON object; the key is named by its file.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from tinycerb.atomic import write_arrays
from tinycerb.bench.cell_inputs import TeacherRecipe, teacher_recipe
from tinycerb.config import load_config
from tinycerb.datasets import load_dataset
from tinycerb.datasets.out_of_distribution import out_of_distribution_images
from tinycerb.defenses.losses.random_teachers import Reading, Teacher, fit_reading, fit_teachers
from tinycerb.errors import UsageError
from tinycerb.ownership.owner import open_owner
from tinycerb.run.directory import RunDirectory
from tinycerb.run.victim import victims_of
from tinycerb.subprocess_call import answer
from tinycerb.verification.numpy_network import features
from tinycerb.verification.teachers import BLOCKS, Teachers, other_weights, pack_teachers, write_teachers

# Images that networks of other keys are whitened over: eight of their components need no more.
_FEW = 1000


def fit_all(recipe: TeacherRecipe, classes: int, seed: int, words: tuple[int, ...]) -> Teachers:
    """Fits the owner's teacher, of the first head, and whitens the networks of other keys.

    Args:
        recipe: what the victim's teachers were made from.
        classes: number of classes.
        seed: of the run.
        words: of the owner key; none for the public.
    """
    (mine,) = fit_teachers(recipe.drawn, 1, classes, seed, recipe.uncorrelated_with, words)
    weights = tuple(mine.network.get_weights())
    few = recipe.drawn[:_FEW]
    apart = None if recipe.uncorrelated_with is None else recipe.uncorrelated_with[:_FEW]
    centres, maps = [mine.reading.centre], [_map_of(mine.reading)]
    for index in range(1, BLOCKS):
        said = features(few, other_weights(weights, index))
        reading = fit_reading(said, classes, np.random.default_rng(index), apart)
        centres.append(reading.centre)
        maps.append(_map_of(reading))
    return _teachers(mine, weights, centres, maps)


def _teachers(
    mine: Teacher, weights: tuple[np.ndarray, ...], centres: list[np.ndarray], maps: list[np.ndarray]
) -> Teachers:
    most = max(each.shape[1] for each in maps)
    padded = [np.pad(each, ((0, 0), (0, most - each.shape[1]))) for each in maps]
    projection = np.pad(mine.reading.projection, ((0, most - len(mine.reading.projection)), (0, 0)))
    reading = mine.reading
    return Teachers(weights, np.stack(centres), np.stack(padded), projection, reading.mean, reading.deviation)


def _map_of(reading: Reading) -> np.ndarray:
    """From centred features to the components that are read."""
    whitening = reading.directions.T / (reading.sizes + 1e-9)
    return whitening if reading.left is None else whitening @ reading.left


def _work() -> None:
    order = json.loads(sys.argv[1])
    owner = open_owner(order["owner"])
    run = RunDirectory.open(Path(order["run"])) if order["run"] else None
    config = run.config if run else replace(load_config(order["preset"]), seed=order["seed"])
    dataset = load_dataset(config.data)
    if run is not None:
        recipe = teacher_recipe(run, dataset, order["victim"])
    else:
        victim = victims_of(config)[order["victim"]]
        if victim.defense.teachers == "independent":
            raise UsageError(
                f"the teachers of {victim.name} keep apart from a network of its run; give the run: --model "
                "RUN/victims/NAME"
            )
        drawn = out_of_distribution_images(config, dataset).images
        recipe = TeacherRecipe(victim.heads.answering, drawn, None)
    teachers = fit_all(recipe, dataset.classes, config.seed, owner.teacher_words)
    out = Path(order["out"])
    # The public's are no secret.
    if owner.file is None:
        write_arrays(out, pack_teachers(teachers))
    else:
        write_teachers(out, teachers)


if __name__ == "__main__":
    answer(_work)
