"""What a file's last weighted layer reads, beside what it says. Never imported where TensorFlow is."""

from dataclasses import dataclass

import numpy as np

from tinycerb.converters.model_file import Tensor
from tinycerb.errors import UsageError
from tinycerb.runtimes.interpreter_model import OPTIMISED_KERNELS, open_interpreter
from tinycerb.runtimes.model_artifact import ModelArtifact

_WEIGHTED = ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D")


class NoFeaturesError(UsageError):
    """No layer with weights makes a file's answer."""


@dataclass(frozen=True)
class Readings:
    """What a network makes of images.

    Attributes:
        logits: of its first head, float64 [N, classes]; logarithms of posteriors where the file says no logits.
        features: what its last weighted layer reads, float64 [N, features].
    """

    logits: np.ndarray
    features: np.ndarray


def read_features(artifact: ModelArtifact, images: np.ndarray) -> Readings:
    """Runs images through a file with the optimised kernels, which may differ from the device by a step.

    Args:
        artifact: a converted file.
        images: uint8 [N, height, width, channels].

    Raises:
        NoFeaturesError: no layer with weights makes its answer.
        EnvironmentProblem: no runtime is installed.
    """
    tensor = _last_input(artifact)
    model = open_interpreter(artifact, OPTIMISED_KERNELS)
    outputs = np.empty((len(images), artifact.classes), np.int8)
    features = np.empty((len(images), int(np.prod(tensor.shape[1:]))), np.float64)
    for index, image in enumerate(artifact.quantize(images)):
        outputs[index] = model.invoke(image, 0).reshape(-1)[-artifact.classes :]
        features[index] = model.interpreter.get_tensor(tensor.index).ravel()
    return Readings(artifact.first_logits(outputs), features)


def _last_input(artifact: ModelArtifact) -> Tensor:
    """The input of the layer that makes the outputs, behind whatever reshapes or joins them."""
    makers = {output.index: operator for operator in artifact.file.operators for output in operator.outputs}
    tensor = artifact.head_table
    while (operator := makers.get(tensor.index)) is not None:
        tensor = operator.inputs[0]
        if operator.name in _WEIGHTED:
            return tensor
    raise NoFeaturesError(
        "no convolution and no fully connected layer makes what the file puts out; allowed: one that does"
    )
