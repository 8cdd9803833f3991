"""An oracle that stands in for a device whose heads' answers are known, and inputs for attacks on it."""

from dataclasses import replace

import numpy as np

from tests.attacks.attacker import inputs_of
from tinycerb.attacks import AttackInputs
from tinycerb.config import AttackConfig


class KnownHeads:
    """Draws a head for each question, as a device does; `mean` answers with all heads' average."""

    def __init__(self, images: np.ndarray, answers: np.ndarray, seed: int, mean: bool = False) -> None:
        self._answers = {image.tobytes(): rows for image, rows in zip(images, answers, strict=True)}
        self._rng = np.random.default_rng(seed)
        self._mean = mean
        self.charged = 0

    def query(self, images: np.ndarray) -> np.ndarray:
        self.charged += len(images)
        answers = np.stack([self._answers[image.tobytes()] for image in images])
        if self._mean:
            return answers.mean(axis=1).astype(np.float32)
        return answers[np.arange(len(images)), self._rng.integers(0, answers.shape[1], len(images))]

    def reset(self) -> None:
        """True randomness draws on."""


def inputs_on(oracle, images: np.ndarray, config: AttackConfig, on_epoch, notes: dict | None = None) -> AttackInputs:
    """Inputs of an attack whose pool is `images`, against a victim of ten classes."""
    from tinycerb.attacks.building_blocks.students import STUDENTS

    found = {} if notes is None else notes
    return replace(
        inputs_of(oracle, config, on_epoch),
        pool=images,
        in_distribution=images[:0],
        classes=10,
        build=lambda: STUDENTS[config.students[0]]((images.shape[1], images.shape[2], images.shape[3]), 10),
        note=found.__setitem__,
    )
