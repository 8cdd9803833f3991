"""A file's response, for its firmware, and what a device must answer."""

from collections.abc import Sequence

import numpy as np

from tinycerb.converters.c_model.response import ResponseStep
from tinycerb.converters.model_file import ModelFile
from tinycerb.runtimes.answering import Answers, response_of
from tinycerb.runtimes.model_artifact import ModelArtifact


def device_response(file: ModelFile) -> Sequence[ResponseStep]:
    """Returns what the firmware does to every posterior of a file.

    Raises:
        UsageError: the response cannot be deployed, and why, or is made for another number of classes.
        MetadataError: what the file says about itself is damaged.
    """
    artifact = ModelArtifact.of(file)
    response = response_of(artifact)
    return () if response.name == "none" else response.device(artifact.classes)


def answers_to(file: ModelFile, outputs: np.ndarray) -> np.ndarray:
    """Returns what the device says for a file's outputs: exactly what the host says.

    Args:
        file: a file whose outputs are classes.
        outputs: int8 [N, heads, classes].

    Returns:
        uint8 [N, heads that may answer, classes].
    """
    return Answers(ModelArtifact.of(file)).of_all(None, outputs)
