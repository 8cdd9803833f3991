"""Where a victim's files lie."""

from dataclasses import dataclass
from pathlib import Path

from tinycerb import file_names as names


@dataclass(frozen=True)
class VictimFiles:
    """Paths of what training, conversion and measurements leave in a victim's folder.

    Attributes:
        folder: the victim's folder.
    """

    folder: Path

    @property
    def budget(self) -> Path:
        """The channel ratio that a budget in bytes has come to."""
        return self.folder / names.BUDGET

    @property
    def choice(self) -> Path:
        """Which of several trainings was kept, and by which figures."""
        return self.folder / names.CHOICE

    def candidate(self, index: int) -> Path:
        """The figures of one of several trainings."""
        return self.folder / names.CANDIDATE_FIGURES[index]

    @property
    def out_of_distribution(self) -> Path:
        """Fingerprints of the out-of-distribution images that it was trained with."""
        return self.folder / names.OUT_OF_DISTRIBUTION

    @property
    def training(self) -> Path:
        """What came of training, written when it is done."""
        return self.folder / names.TRAINING

    @property
    def model(self) -> Path:
        """The int8 file."""
        return self.folder / names.MODEL

    @property
    def model_json(self) -> Path:
        """What the int8 file is, written when conversion is done."""
        return self.folder / names.MODEL_JSON

    @property
    def test_labels(self) -> Path:
        """Its labels and answers on the test images: what clones are compared with."""
        return self.folder / names.TEST_LABELS

    @property
    def measurements(self) -> Path:
        """Accuracy, memory and the rest, written when they are measured."""
        return self.folder / names.MEASUREMENTS
