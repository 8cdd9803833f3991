"""From a file's int8 logits to answers: softmax codes, then the response that the file's metadata name."""

from collections.abc import Callable

import numpy as np

from tinycerb.answers.normalise import normalise
from tinycerb.answers.responses import after_combiner, check_heads, combiner_of, respond, stored_response
from tinycerb.answers.responses.grad2 import SIDE_MODEL, GradientRedirection
from tinycerb.answers.responses.response import Response
from tinycerb.answers.softmax import softmax_codes
from tinycerb.runtimes.auxiliary_model import open_side_model
from tinycerb.runtimes.model_artifact import HeadSelectFile

# (int8 images [N, ...], uint8 codes [N, classes]) -> uint8 codes [N, classes]
_Answer = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Answers:
    """What a file answers. One object may remember what it has answered."""

    def __init__(self, model: HeadSelectFile) -> None:
        """Opens the file's response, with the network that some ask beside the file.

        Raises:
            UsageError: the response does not fit the file's heads, or names a file of its own.
            EnvironmentProblem: the network beside the file is missing.
        """
        response = stored_response(model.response)
        check_heads(response, model.heads, model.combined_by)
        self._model = model
        self._combiner = combiner_of(response)
        self._respond = _open(after_combiner(response), model)

    @property
    def heads(self) -> int:
        """How many heads may answer; 1 where the response makes one answer of all of them."""
        return 1 if self._combiner else self._model.heads

    def posteriors(self, logits: np.ndarray) -> np.ndarray:
        """Returns what each head that may answer would say without the response, uint8 codes [N, heads, classes].

        Args:
            logits: int8 [N, heads of the file, classes].
        """
        codes = codes_of_heads(self._model, logits)
        return self._combiner.combine(logits, codes)[:, np.newaxis] if self._combiner else codes

    def of(self, images: np.ndarray, logits: np.ndarray, heads: np.ndarray) -> np.ndarray:
        """Returns the answers of the drawn heads, uint8 codes [N, classes].

        Args:
            images: int8 [N, height, width, channels].
            logits: int8 [N, heads of the file, classes], what the file says to them.
            heads: int64 [N], 0 to `self.heads` - 1.
        """
        return self._respond(images, self.posteriors(logits)[np.arange(len(logits)), heads])

    def of_all(self, images: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """The same for every head that may answer, uint8 codes [N, heads, classes]."""
        codes = self.posteriors(logits)
        return np.stack([self._respond(images, codes[:, head]) for head in range(self.heads)], axis=1)


def codes_of_heads(model: HeadSelectFile, logits: np.ndarray) -> np.ndarray:
    """Returns every head's posterior before any response, uint8 codes [N, heads, classes], for such int8 logits."""
    codes = [
        # A foreign file may end in SOFTMAX: its int8 outputs are codes already, less 128.
        (logits[:, head].astype(np.int16) + 128).astype(np.uint8)
        if model.ends_in_softmax
        else softmax_codes(logits[:, head], scale)
        for head, scale in enumerate(model.head_scales())
    ]
    return np.stack([normalise(of_head) for of_head in codes], axis=1)


def _open(response: Response, model: HeadSelectFile) -> _Answer:
    if not isinstance(response, GradientRedirection):
        return lambda images, codes: respond(response, codes)
    directions = open_side_model(model.folder / SIDE_MODEL)
    return lambda images, codes: response.answer(codes, directions(model.real_values(images)))
