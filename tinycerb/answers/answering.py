"""From a file's int8 logits to answers: softmax codes, then the response that the file's metadata name."""

from collections.abc import Callable

import numpy as np

from tinycerb.answers.normalise import normalise
from tinycerb.answers.responses import parse_response, respond
from tinycerb.answers.responses.grad2 import SIDE_MODEL, GradientRedirection
from tinycerb.answers.softmax import softmax_codes
from tinycerb.head_select_file import HeadSelectFile
from tinycerb.side_model import open_side_model

# (int8 images [N, ...], uint8 codes [N, classes]) -> uint8 codes [N, classes]
Answer = Callable[[np.ndarray, np.ndarray], np.ndarray]


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


def open_response(model: HeadSelectFile) -> Answer:
    """Returns the file's response, with the network that some ask beside the file. It may remember what it answered.

    Raises:
        EnvironmentProblem: that network is missing.
    """
    response = parse_response(model.response)
    if not isinstance(response, GradientRedirection):
        return lambda images, codes: respond(response, codes)
    directions = open_side_model(model.folder / SIDE_MODEL)
    return lambda images, codes: response.answer(codes, directions(model.real_values(images)))


def answers_of_heads(model: HeadSelectFile, images: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Returns the answer of every head after the response, uint8 codes [N, heads, classes].

    Args:
        model: the file.
        images: int8 [N, height, width, channels].
        logits: int8 [N, heads, classes], what the file says to them.
    """
    answer, codes = open_response(model), codes_of_heads(model, logits)
    return np.stack([answer(images, codes[:, head]) for head in range(codes.shape[1])], axis=1)
