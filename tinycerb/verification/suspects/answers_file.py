"""Answers that somebody has written down: a .npz beside the questions of `tinycerb ownership questions`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycerb.bounded.arrays import read_npz
from tinycerb.errors import UsageError
from tinycerb.ownership.questions import Questions
from tinycerb.verification.suspects.suspect import as_labels

_HOW = "write it as: np.savez('answers.npz', answers=predict(q['images']), batch=q['batch']), q = np.load('QUESTIONS')"


@dataclass(frozen=True)
class AnswersFile:
    """Answers to one batch.

    Attributes:
        path: where they lie.
        answers: labels [N], or posteriors [N, classes].
        batch: number of the batch that they answer.
        classes: of the model that they are compared with.
    """

    path: Path
    answers: np.ndarray
    batch: int
    classes: int

    @property
    def told(self) -> str:
        """What it is."""
        return str(self.path)

    def labels(self, questions: Questions) -> np.ndarray:
        """See `Suspect.labels`."""
        return as_labels(self.answers, len(questions), self.classes, self.told)


def open_answers_file(path: Path, classes: int) -> AnswersFile:
    """Reads the answers.

    Raises:
        UsageError: something else is in the file.
        EnvironmentProblem: it is missing or corrupt.
    """
    arrays = read_npz(path)
    if not {"answers", "batch"} <= set(arrays):
        raise UsageError(f"{path} holds {', '.join(sorted(arrays)) or 'nothing'}; expected answers and batch; {_HOW}")
    batch = arrays["batch"]
    if batch.shape != () or batch.dtype.kind not in "iu":
        raise UsageError(f"batch of {path} is {str(batch)[:40]!r}; expected the questions' own number; {_HOW}")
    return AnswersFile(path, arrays["answers"], int(batch), classes)
