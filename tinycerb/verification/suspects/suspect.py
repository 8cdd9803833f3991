"""What a verification sees of a suspect: its labels."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from tinycerb.errors import UsageError
from tinycerb.ownership.questions import Questions

# The label of a question that was not answered.
REFUSED = -1


class Suspect(Protocol):
    """Somebody's model.

    Attributes:
        told: what it is, for people.
    """

    @property
    def told(self) -> str: ...

    def labels(self, questions: Questions) -> np.ndarray:
        """Returns a label for each question, int64 [N], `REFUSED` where there is none.

        Raises:
            TinyCerbError: it cannot be asked, or its answers are none.
        """
        ...


# Says in one line what takes long.
Tell = Callable[[str], None]


def as_labels(answers: np.ndarray, count: int, classes: int, told: str) -> np.ndarray:
    """Returns labels for what a suspect has answered.

    Args:
        answers: labels, whole numbers [N], -1 where it refused; or posteriors or logits [N, classes].
        count: how many answers there are to be.
        classes: of the model that it is compared with.
        told: what the suspect is.

    Returns:
        int64 [N].

    Raises:
        UsageError: another number of answers or of classes, or what is no number.
    """
    answers = np.asarray(answers)
    if answers.dtype.kind not in "iufb":
        raise UsageError(f"{told} answers {answers.dtype}; allowed: labels [N], or posteriors [N, {classes}]")
    if answers.ndim == 2 and answers.shape[1] == 1 and classes > 1:
        answers = answers[:, 0]
    if answers.ndim not in (1, 2) or len(answers) != count:
        raise UsageError(
            f"{told} gave answers of shape {list(answers.shape)} to {count} questions; allowed: labels [{count}], or "
            f"posteriors [{count}, {classes}]"
        )
    if answers.dtype.kind == "f" and not np.isfinite(answers).all():
        wrong = int(np.argmax(~np.isfinite(answers.reshape(count, -1)).all(axis=1)))
        raise UsageError(f"{told} answers question {wrong} with what is no number: {answers[wrong].tolist()!s:.80}")
    if answers.ndim == 2:
        if answers.shape[1] != classes:
            raise UsageError(
                f"{told} has {answers.shape[1]} classes, the model {classes}: a clone has the same classes"
            )
        return answers.argmax(axis=1)
    labels = answers.astype(np.int64)
    if (labels != answers).any() or labels.min() < REFUSED or labels.max() >= classes:
        wrong = answers[(labels != answers) | (labels < REFUSED) | (labels >= classes)][0]
        raise UsageError(f"{told} gives the label {wrong}; allowed: 0 to {classes - 1}, and {REFUSED} for no answer")
    return labels


def other_classes(told: str, found: int, classes: int) -> str:
    """Returns what is said of a suspect of another task."""
    return f"{told} has {found} classes, the model {classes}: a clone has the same classes"
