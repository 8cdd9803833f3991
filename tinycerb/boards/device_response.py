"""A file's response, for its firmware."""

from collections.abc import Sequence

import numpy as np

from converters.c_model.response import ResponseStep
from converters.metadata import read_metadata
from converters.model_file import ModelFile
from tinycerb.answers.normalise import normalise
from tinycerb.answers.responses import Response, parse_response, respond


def response_of(file: ModelFile) -> Response:
    """Returns the response that a file's metadata name; none where it has no metadata.

    Raises:
        UsageError: the text is no response.
    """
    return parse_response(str((read_metadata(file) or {}).get("response", "none")))


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
    """Returns what the device says for softmax codes, uint8 [N, classes]."""
    return respond(response_of(file), normalise(posteriors))
