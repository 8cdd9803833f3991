"""A file's response, for its firmware."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinycerb.answers.normalise import normalise
from tinycerb.answers.responses import Response, after_combiner, check_heads, combiner_of, respond, stored_response
from tinycerb.answers.softmax import softmax_codes
from tinycerb.converters.c_model.response import ResponseStep
from tinycerb.converters.metadata import read_metadata
from tinycerb.converters.model_file import ModelFile


def response_of(file: ModelFile) -> Response:
    """Returns the response that a file's metadata name; none where it has no metadata.

    Raises:
        UsageError: the text is no response, names a file of its own, or does not fit the file's heads.
    """
    metadata = _metadata(file)
    response = stored_response(str(metadata.get("response", "none")))
    check_heads(response, int(metadata.get("heads", 1)), str(metadata.get("combined_by", "")))
    return response


def device_response(file: ModelFile) -> Sequence[ResponseStep]:
    """Returns what the firmware does to every posterior of a file.

    Raises:
        UsageError: the response cannot be deployed, and why, or is made for another number of classes.
    """
    response = response_of(file)
    if response.name == "none":
        return ()
    return response.device(next(iter(file.outputs.values())).shape[-1])


def answers_of(file: ModelFile, posteriors: np.ndarray) -> np.ndarray:
    """Returns what the device says for softmax codes of one head, uint8 [N, classes]."""
    return respond(after_combiner(response_of(file)), normalise(posteriors))


def answers_to(file: ModelFile, outputs: np.ndarray) -> np.ndarray:
    """Returns what the device says for a file's outputs.

    Args:
        file: a file whose outputs are classes.
        outputs: int8 [N, heads, classes].

    Returns:
        uint8 [N, heads that may answer, classes].
    """
    if file.gives_posteriors:
        codes = [(outputs[:, head].astype(np.int16) + 128).astype(np.uint8) for head in range(outputs.shape[1])]
    else:
        scale = next(iter(file.outputs.values())).scales[0]
        alphas = _metadata(file).get("alphas", [1.0] * outputs.shape[1])
        codes = [softmax_codes(outputs[:, head], scale / alphas[head]) for head in range(outputs.shape[1])]
    combiner = combiner_of(response_of(file))
    if combiner is not None:
        codes = [combiner.combine(outputs, np.stack([normalise(each) for each in codes], axis=1))]
    return np.stack([answers_of(file, each) for each in codes], axis=1)


def _metadata(file: ModelFile) -> dict[str, Any]:
    return read_metadata(file) or {}
