"""Doses: how good a clone becomes with so many images of the victim's own kind and nothing else, as a curve."""

import math
from collections.abc import Sequence

import numpy as np

from tinycerb.bench.cell import CellContent, CellSpec, find_cell, specs_of_attack
from tinycerb.config import AttackConfig, Config
from tinycerb.config.user_sources import IN_DISTRIBUTION
from tinycerb.datasets.images import Dataset
from tinycerb.datasets.query_pools import query_pool
from tinycerb.defenses.recommendation import recommended_victim
from tinycerb.errors import UsageError
from tinycerb.reports.metrics import Dose, Doses
from tinycerb.run.directory import RunDirectory

STUDENT = "lenet"
# As many as the demo's 500 images take: 40 epochs of seven batches. Ten images are one batch, hence many epochs.
_EPOCHS, _STEPS, _BATCH = 40, 280, 64


def dose_attack(images: int) -> AttackConfig:
    """Returns the thief with so many unlabelled images of the victim's own kind, each asked about once (T2).

    A smaller dose is part of each larger one of the same attacker seed.
    """
    steps_per_epoch = images // min(images, _BATCH)
    return AttackConfig(
        f"own-kind-{images}",
        query_pool=IN_DISTRIBUTION,
        budget=images,
        students=(STUDENT,),
        epochs=max(_EPOCHS, math.ceil(_STEPS / steps_per_epoch)),
        batch_size=_BATCH,
    )


def dosed_victims(config: Config) -> list[str]:
    """Returns whose curve a run measures: the baseline's, and that of the victim to deploy."""
    return list(dict.fromkeys((config.bench.baseline, recommended_victim(config)))) if config.bench.doses else []


def fitting_doses(config: Config, dataset: Dataset) -> list[int]:
    """Returns the doses, from small to large, for which the data set has images; those are validation images."""
    return [dose for dose in sorted(config.bench.doses) if dose <= len(_images(dataset))]


def left_out_doses(config: Config, dataset: Dataset) -> str:
    """Says which doses are above what the data set holds; empty where none is."""
    above = sorted(set(config.bench.doses) - set(fitting_doses(config, dataset)))
    if not above:
        return ""
    doses = ", ".join(f"{dose:,}" for dose in above)
    return f"bench.doses: {doses} left out, as there are {len(_images(dataset)):,} distinct validation images"


def dose_specs(run: RunDirectory, dataset: Dataset, victim: str) -> list[CellSpec]:
    """Describes the cells of a victim's curve, asked as the device answers; errors as `specs_of_attack`."""
    selection = run.victims[victim].defense.selection
    return [
        spec
        for dose in fitting_doses(run.config, dataset)
        for spec in specs_of_attack(run, dataset, victim, dose_attack(dose), selection)
    ]


def gather_doses(run: RunDirectory, dataset: Dataset) -> Doses | None:
    """Gathers the curves for `metrics.json`; None for a run that has none, such as those of older versions.

    Raises:
        UsageError: some cells are there, and others are missing.
    """
    victims = dosed_victims(run.config)
    cells = {victim: [(spec, find_cell(run, spec)) for spec in dose_specs(run, dataset, victim)] for victim in victims}
    found = [cell for rows in cells.values() for _, cell in rows]
    if not any(found):
        return None
    if not all(found):
        raise UsageError(f"a cell of bench.doses is missing; run it with: tinycerb bench {run.path}")
    return {
        "basis": "measured",
        "student": STUDENT,
        "left_out": left_out_doses(run.config, dataset),
        "victims": {
            victim: [
                _dose(dose, [cell for spec, cell in rows if spec.attack.budget == dose and cell is not None])
                for dose in fitting_doses(run.config, dataset)
            ]
            for victim, rows in cells.items()
        },
    }


def _dose(images: int, cells: Sequence[CellContent]) -> Dose:
    clones = [cell["result"]["clone_accuracy"] for cell in cells]
    return {
        "images": images,
        "clone_accuracy": sum(clones) / len(clones),
        "clone_accuracies": clones,
        "cells": [str(cell["spec"]["digest"]) for cell in cells],
    }


def _images(dataset: Dataset) -> np.ndarray:
    return query_pool(IN_DISTRIBUTION).load(dataset)
