"""A Keras file or a function `package.module:predict`, asked in a process of its own: both bring their own code."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycerb.atomic import write_arrays
from tinycerb.bounded.arrays import read_npz
from tinycerb.ownership.questions import Questions
from tinycerb.subprocess_call import call_in_subprocess
from tinycerb.verification.suspects import answer_apart
from tinycerb.verification.suspects.suspect import as_labels


@dataclass(frozen=True)
class PythonCode:
    """A suspect that Python runs.

    Attributes:
        source: a Keras file's path, or a reference.
        classes: of the model that it is compared with.
    """

    source: str
    classes: int

    @property
    def told(self) -> str:
        """What it is."""
        return self.source

    def labels(self, questions: Questions) -> np.ndarray:
        """See `Suspect.labels`."""
        with tempfile.TemporaryDirectory(prefix="tinycerb-") as private:
            asked, answered = Path(private, "questions.npz"), Path(private, "answers.npz")
            write_arrays(asked, {"images": questions.images})
            call_in_subprocess(answer_apart.__name__, self.source, str(asked), str(answered))
            answers = read_npz(answered)["answers"]
        return as_labels(answers, len(questions), self.classes, self.told)
