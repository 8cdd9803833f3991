"""EDM: which member of an ensemble answers, a network that knows nothing of the task decides."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycerb.answers.normalise import TOTAL
from tinycerb.answers.responses.combining import Combiner, alone
from tinycerb.answers.responses.response import RESPONSES, ResponseStep
from tinycerb.converters.c_model.layer import Array
from tinycerb.options import check_options, option

# Levels of the hash network's confidence.
_LEVELS = 2


@RESPONSES.register("edm")
@dataclass(frozen=True)
class HashedMember(Combiner):
    """Answers with the member that a hash of the image names: the same image always meets the same member.

    Ensembles of diverse models (Kariyappa, Prakash and Qureshi, ICLR 2021). The hash is as in the published
    re-implementations: a small network H that was trained on something else; with its K classes, q = H(x), c = argmax q
    and m = 2 levels, member (m c + floor((K max q - 1) m / (K - 1))) mod N. Their K is 10 for any network; here it is
    the number of classes. Codes end at 255/256: the third level, for max q = 1, does not occur.
    """

    name = "edm"
    final = False
    trained_by = "edm"

    members: int = option(3, "networks of the ensemble; the hash network stands behind them", 2, TOTAL)

    def __post_init__(self) -> None:
        """Checks the options."""
        check_options(self)

    @property
    def heads(self) -> int:  # type: ignore[override]
        """The members and the hash network."""
        return self.members + 1

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Refuses: there is no hash network."""
        raise alone(self)

    def chosen(self, hashed: np.ndarray) -> np.ndarray:
        """Returns which member answers, int64 [N], for the hash network's codes, uint8 [N, classes]."""
        sure = hashed.max(axis=1) >= sure_from(hashed.shape[1])
        return (_LEVELS * hashed.argmax(axis=1) + sure) % self.members

    def combine(self, logits: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Returns the posterior of the member that the last head names."""
        return codes[np.arange(len(codes)), self.chosen(codes[:, -1])]

    def device(self, classes: int) -> Sequence[ResponseStep]:
        """Returns the step with two bytes per class: a remainder's time depends on what is divided."""
        parameters = {
            "members": Array((np.arange(_LEVELS * classes) % self.members).astype(np.uint8)),
            "hash": self.members,
            "sure": sure_from(classes),
        }
        return (ResponseStep("tc_combine_edm", parameters, heads=self.heads),)


def sure_from(classes: int) -> int:
    """Returns the smallest code of level 1: where 2 (K code / 256 - 1) / (K - 1) reaches 1."""
    return math.ceil(TOTAL * (classes + 1) / (2 * classes))
