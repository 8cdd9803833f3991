"""How much of the undefended answer a defended one still tells off the task, per procedural family.

Agreement alone is fooled by a permutation of the classes: a thief undoes that. Normalised mutual information is not.
"""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from tinycerb.answers.selection import HEAD_SELECTIONS, simulated_device
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import image_fingerprints
from tinycerb.datasets.procedural import FAMILIES, generate
from tinycerb.errors import UsageError
from tinycerb.file_names import OUT_OF_DISTRIBUTION
from tinycerb.run.directory import RunDirectory
from tinycerb.runtimes.answering import Answers
from tinycerb.runtimes.compiled_model import open_fastest
from tinycerb.runtimes.model_artifact import open_artifact
from tinycerb.runtimes.running_model import RunningModel
from tinycerb.seal.files import read_arrays

SURE = 0.9
# Seeds of training end far below: an image that the defender has trained on measures nothing.
_SEED_OFFSET = 100_000
_FEWEST_SURE = 50


class FamilyLeak(TypedDict):
    """What one family of images shows."""

    sure_images: int
    trained_on: bool
    victims: dict[str, dict[str, float | None]]


class Leak(TypedDict):
    """What `measure_leak` returns."""

    schema_version: int
    images_per_family: int
    sure_above: float
    families: dict[str, FamilyLeak]


def measure_leak(
    run: RunDirectory, images_per_family: int = 2000, families: Sequence[str] = (), sure_above: float = SURE
) -> Leak:
    """Measures every victim of a converted run against its baseline.

    Args:
        run: all victims are converted.
        images_per_family: how many images are drawn of each family.
        families: registered families; by default those that no victim was trained on.
        sure_above: what the undefended network's top posterior must exceed for an image to count.

    Returns:
        Per family: the number of images on which the undefended network is so sure, and per victim the normalised
        mutual information of its label with the undefended one, and their agreement, for one answer and for the mean
        of all heads; None where fewer than 50 images are sure or one of the two has a single label.

    Raises:
        UsageError: an unknown family, or none is held out.
        EnvironmentProblem: a victim is not converted.
    """
    config = run.config
    held_out = list(families) or [name for name in FAMILIES if name not in config.out_of_distribution.families]
    if not held_out:
        raise UsageError("every family is used in training; name one with --family, or train with fewer of them")
    train = load_dataset(config.data).train.images
    models = {victim.name: open_fastest(open_artifact(run.model(victim.name))) for victim in config.victims}
    rows: dict[str, FamilyLeak] = {}
    for family in held_out:
        images = generate([family], images_per_family, train, config.seed + _SEED_OFFSET)
        codes = {name: _ask(model, images) for name, model in models.items()}
        undefended = codes[config.bench.baseline][:, 0]
        # The answer may leave a rounded posterior; what counts is how sure the baseline is.
        sure = undefended.max(axis=1) > sure_above * 256
        truth = undefended.argmax(axis=1)[sure]
        rows[family] = {
            "sure_images": int(sure.sum()),
            "trained_on": family in config.out_of_distribution.families,
            "victims": {name: _leak_of(name, run, models[name], images, codes[name], sure, truth) for name in models},
        }
    return {"schema_version": 1, "images_per_family": images_per_family, "sure_above": sure_above, "families": rows}


def _ask(model: RunningModel, images: np.ndarray) -> np.ndarray:
    quantized = model.artifact.quantize(images)
    return Answers(model.artifact).of_all(quantized, model.all_heads(quantized))


def _leak_of(
    name: str,
    run: RunDirectory,
    model: RunningModel,
    images: np.ndarray,
    codes: np.ndarray,
    sure: np.ndarray,
    truth: np.ndarray,
) -> dict[str, float | None]:
    own = read_arrays(run.victim(name) / OUT_OF_DISTRIBUTION)["fingerprints"]
    shared = int(np.isin(image_fingerprints(images), own).sum())
    if shared:
        raise UsageError(f"{shared} of the images were trained on by {name}; they cannot measure its leak")
    choose = HEAD_SELECTIONS[model.artifact.selection]
    head = choose(model.artifact.quantize(images), codes.shape[1], simulated_device(run.config.seed))
    single = codes[np.arange(len(codes)), head].argmax(axis=1)[sure]
    mean = codes.mean(axis=1).argmax(axis=1)[sure]
    enough = len(truth) >= _FEWEST_SURE
    return {
        "leak_answer": normalised_information(single, truth) if enough else None,
        "leak_mean_head": normalised_information(mean, truth) if enough else None,
        "agreement_answer": float((single == truth).mean()) if enough else None,
        "agreement_mean_head": float((mean == truth).mean()) if enough else None,
    }


def normalised_information(first: np.ndarray, second: np.ndarray) -> float | None:
    """Mutual information of two labellings over the mean of their entropies: 0 independent, 1 the same up to names.

    Args:
        first: integers [N].
        second: integers [N].

    Returns:
        None where either has a single label: there is nothing to tell.
    """
    if first.min() == first.max() or second.min() == second.max():
        return None
    joint = np.zeros((int(first.max()) + 1, int(second.max()) + 1))
    np.add.at(joint, (first, second), 1 / len(first))
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    entropies = [float(-(p[p > 0] * np.log(p[p > 0])).sum()) for p in (rows, columns, joint.ravel())]
    return max(0.0, 2 * (entropies[0] + entropies[1] - entropies[2]) / (entropies[0] + entropies[1]))
