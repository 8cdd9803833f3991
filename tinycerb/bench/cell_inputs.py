"""What a cell is computed from: files and arrays, gathered where the run is, so that they can be sent anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tinycerb import file_names
from tinycerb.bench.cell import CellSpec, load_in_distribution, load_pool
from tinycerb.config.user_sources import PUBLIC
from tinycerb.datasets.images import Dataset, LabelledImages
from tinycerb.datasets.out_of_distribution import out_of_distribution_images
from tinycerb.file_names import OUT_OF_DISTRIBUTION, REFERENCE_POSTERIORS, TEST_LABELS
from tinycerb.ownership.run_key import TEACHERS, open_key
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import read_arrays
from tinycerb.training.twin_victims import dense_twin

if TYPE_CHECKING:
    from tinycerb.defenses.losses.random_teachers import Teacher

# Of a victim's folder: what its oracle reads, beside the files of its response.
ORACLE_FILES = (file_names.MODEL, file_names.MODEL_JSON)


@dataclass(frozen=True)
class TeacherRecipe:
    """What a victim's teachers are made from beside seed and owner key; nothing of it is secret.

    Attributes:
        heads: how many heads answer alone; each has a teacher of its own.
        drawn: the defender's out-of-distribution images, uint8 [N, height, width, channels].
        uncorrelated_with: posteriors that independent teachers keep apart from, float32 [N, classes], or None.
    """

    heads: int
    drawn: np.ndarray
    uncorrelated_with: np.ndarray | None


@dataclass(frozen=True)
class CellInputs:
    """Beside the specification, all that a cell needs.

    Attributes:
        model: path of the victim's int8 file, what its response reads beside it.
        response: the victim's response; see `AttackInputs`.
        classes: how many classes the victim tells apart.
        pool: the attacker's images of other kinds, uint8 [N, height, width, channels].
        in_distribution: the attacker's images of the victim's kind, uint8 [M, height, width, channels].
        test: what clones are measured on, never chosen by.
        victim_labels: the victim's labels of the test images, int64 [T].
        victim_answers: its expected answers to them, float32 [T, classes]; None if they were not kept.
        fingerprints: of the defender's out-of-distribution images, uint64.
        recipe: what teachers are fitted to, for an attack that knows them.
        teachers: those of the victim's heads, for such an attack; see `with_teachers`.
        side_files: names of what the victim's response has left beside the model.
    """

    model: Path
    response: str
    classes: int
    pool: np.ndarray
    in_distribution: np.ndarray
    test: LabelledImages
    victim_labels: np.ndarray
    victim_answers: np.ndarray | None
    fingerprints: np.ndarray
    recipe: TeacherRecipe | None = None
    teachers: Sequence[Teacher] = ()
    side_files: tuple[str, ...] = ()


def gather_inputs(run: RunDirectory, dataset: Dataset, spec: CellSpec) -> CellInputs:
    """Gathers the inputs of a cell of a run whose victim is measured."""
    folder = run.victim(spec.victim)
    kept = read_arrays(folder / TEST_LABELS)
    return CellInputs(
        model=run.model(spec.victim),
        response=run.config.victim(spec.victim).response,
        classes=dataset.classes,
        pool=load_pool(spec.attack, dataset),
        in_distribution=load_in_distribution(spec.attack, dataset, run.config.seed),
        test=dataset.test,
        victim_labels=kept["labels"],
        # Runs that were measured before answers were kept have none.
        victim_answers=kept.get("answers"),
        fingerprints=read_arrays(folder / OUT_OF_DISTRIBUTION)["fingerprints"],
        recipe=teacher_recipe(run, dataset, spec.victim) if spec.owner else None,
        side_files=run.victims[spec.victim].response.files,
    )


def teacher_recipe(run: RunDirectory, dataset: Dataset, name: str) -> TeacherRecipe:
    """Returns what the teachers of a run's victim are made from."""
    victim = run.victims[name]
    away = None
    if victim.defense.teachers == "independent":
        away = read_arrays(run.dense(dense_twin(run.config, run.victims, name)) / REFERENCE_POSTERIORS)["posteriors"]
    images = out_of_distribution_images(run.config, dataset).images
    return TeacherRecipe(victim.heads.answering, images, away)


def with_teachers(inputs: CellInputs, spec: CellSpec, key: Path | None, what_to_do: str) -> CellInputs:
    """Returns the inputs with the victim's teachers for an attack that knows them; others are left as they are.

    Args:
        inputs: from `gather_inputs`.
        spec: which cell.
        key: the owner key's file, None if nothing says where it is.
        what_to_do: ends the message of an error.

    Raises:
        EnvironmentProblem: the key that the victim was trained with cannot be read here.
    """
    recipe = inputs.recipe
    if recipe is None:
        return inputs
    from tinycerb.defenses.losses.random_teachers import fit_teachers

    words = () if spec.owner == PUBLIC else open_key(key, spec.owner, what_to_do).words(TEACHERS)
    teachers = fit_teachers(
        recipe.drawn, recipe.heads, inputs.classes, spec.victim_seed, recipe.uncorrelated_with, words
    )
    return replace(inputs, teachers=tuple(teachers))
