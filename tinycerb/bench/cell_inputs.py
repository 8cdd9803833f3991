"""What a cell is computed from: files and arrays, gathered where the run is, so that they can be sent anywhere."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycerb.bench.cell import TEST_LABELS, CellSpec, load_own, load_pool
from tinycerb.datasets.images import FINGERPRINTS, Dataset, LabelledImages
from tinycerb.run_dir import RunDirectory
from tinycerb.seal.files import read_arrays

# Of a victim's folder: all that its oracle reads.
ORACLE_FILES = ("model.tflite", "model.json", "redirection.tflite")


@dataclass(frozen=True)
class CellInputs:
    """Beside the specification, all that a cell needs.

    Attributes:
        model: path of the victim's int8 file, its side files beside it.
        response: the victim's response; see `AttackInputs`.
        classes: how many classes the victim tells apart.
        pool: the attacker's images of other kinds, uint8 [N, height, width, channels].
        own: the attacker's images of the victim's kind, uint8 [M, height, width, channels].
        test: what clones are measured on, never chosen by.
        victim_labels: the victim's labels of the test images, int64 [T].
        victim_answers: its expected answers to them, float32 [T, classes]; None if they were not kept.
        fingerprints: of the defender's out-of-distribution images, uint64.
    """

    model: Path
    response: str
    classes: int
    pool: np.ndarray
    own: np.ndarray
    test: LabelledImages
    victim_labels: np.ndarray
    victim_answers: np.ndarray | None
    fingerprints: np.ndarray


def gather_inputs(run: RunDirectory, dataset: Dataset, spec: CellSpec) -> CellInputs:
    """Gathers the inputs of a cell of a run whose victim is measured."""
    folder = run.victim(spec.victim)
    kept = read_arrays(folder / TEST_LABELS)
    return CellInputs(
        model=run.model(spec.victim),
        response=run.config.victim(spec.victim).response,
        classes=dataset.classes,
        pool=load_pool(spec.attack, dataset),
        own=load_own(spec.attack, dataset, run.config.seed),
        test=dataset.test,
        victim_labels=kept["labels"],
        # Runs that were measured before answers were kept have none.
        victim_answers=kept.get("answers"),
        fingerprints=read_arrays(folder / FINGERPRINTS)["fingerprints"],
    )
