"""How much of an answer leaves the device: the output mode of an oracle."""

from collections.abc import Callable

import numpy as np

from tinycerb.answers.normalise import normalise
from tinycerb.answers.responses.response import respond
from tinycerb.answers.responses.rounding import Rounding
from tinycerb.registry import Registry

# Codes [N, classes], 0 to 256 and not always whole (a mean over heads is not), to such codes as they leave.
Output = Callable[[np.ndarray], np.ndarray]
OUTPUTS: Registry[Output] = Registry("output")

# Means of a few codes keep what comes after the point, within the weights that `normalise` takes.
_FINER = 8


@OUTPUTS.register("probs")
def posteriors(codes: np.ndarray) -> np.ndarray:
    """Returns everything."""
    return codes


@OUTPUTS.register("top1")
def labels(codes: np.ndarray) -> np.ndarray:
    """Returns the label alone: 256 for the first largest code, 0 for the others."""
    return np.eye(codes.shape[1])[codes.argmax(axis=1)] * 256


@OUTPUTS.register("rounded")
def rounded(codes: np.ndarray) -> np.ndarray:
    """Returns posteriors of one decimal, brought back to a sum of 256, with the same label."""
    return respond(Rounding(decimals=1), normalise(np.rint(codes * float(_FINER)).astype(np.int64)))
