"""A small attacker: images that brightness tells apart, an oracle that answers by it, inputs of an attack."""

import numpy as np

from tinycerb.attacks import AttackInputs
from tinycerb.attacks.building_blocks.students import STUDENTS
from tinycerb.config import AttackConfig
from tinycerb.events import ignore
from tinycerb.keras_models.legacy import keras

POOL = np.random.default_rng(0).integers(0, 256, (200, 28, 28, 1), dtype=np.uint8)
# Bright images are class 1, dark ones class 0: easy to learn from answers alone.
POOL[::2] //= 8


class Recorder:
    """An oracle that answers by brightness and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[np.ndarray] = []

    @property
    def charged(self) -> int:
        return sum(map(len, self.asked))

    def query(self, images: np.ndarray) -> np.ndarray:
        self.asked.append(images)
        bright = (images.mean(axis=(1, 2, 3)) > 60).astype(int)
        return np.eye(2, dtype=np.float32)[bright]

    def reset(self) -> None:
        """Has nothing to lose."""


def inputs_of(oracle: Recorder, config: AttackConfig, on_epoch, seed: int = 1, built: list | None = None):
    def build() -> keras.Model:
        student = STUDENTS[config.students[0]]((28, 28, 1), 2)
        (built if built is not None else []).append(student)
        return student

    return AttackInputs(
        oracle=oracle,
        pool=POOL,
        in_distribution=POOL[:0],
        classes=2,
        build=build,
        config=config,
        learning_rate=config.learning_rates[0],
        response="none",
        seed=seed,
        on_epoch=on_epoch,
        note=lambda key, value: None,
        on_progress=ignore,
    )
