"""A converted file in a TFLite interpreter, one thread. Never imported where TensorFlow is.

TensorFlow and tflite-runtime hold the same C++ symbols: whichever loads second fails inside Interpreter().
"""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from tinycerb.converters.large_softmax import LargeSoftmax, large_softmax
from tinycerb.converters.model_file import ModelFileError, Tensor
from tinycerb.errors import EnvironmentProblem
from tinycerb.events import OnProgress, Progress, ignore
from tinycerb.runtimes.engines import (
    OPTIMISED_KERNELS,
    REFERENCE_KERNELS,
    EngineName,
    default_runtime,
    flatbuffer_interpreter,
)
from tinycerb.runtimes.model_artifact import ModelArtifact

__all__ = ["OPTIMISED_KERNELS", "REFERENCE_KERNELS", "InterpreterModel", "open_interpreter"]


@dataclass(frozen=True)
class InterpreterModel:
    """A converted model, ready to run.

    Attributes:
        artifact: the file.
        interpreter: the interpreter, tensors allocated.
        engine: which runtime that is, with which kernels.
        end: the last layer, where the interpreter goes up to its logits alone.
    """

    artifact: ModelArtifact
    interpreter: Any
    engine: EngineName
    end: LargeSoftmax | None = None

    def invoke(self, image: np.ndarray, head: int) -> np.ndarray:
        """Runs the model as the device does.

        Args:
            image: int8 [height, width, channels].
            head: 0 to heads - 1.

        Returns:
            int8 [classes], the head's logits times its alpha.
        """
        file = self.artifact.file
        self.interpreter.set_tensor(file.inputs["image"].index, image[np.newaxis])
        if "head" in file.inputs:
            self.interpreter.set_tensor(file.inputs["head"].index, np.array([head], np.int32))
        self.interpreter.invoke()
        return self._tensor(file.outputs["logits"])[0]

    def _tensor(self, tensor: Tensor) -> np.ndarray:
        if self.end is None:
            return self.interpreter.get_tensor(tensor.index)
        (logits,) = self.end.before.graph_outputs
        return self.end.posterior({"logits": self.interpreter.get_tensor(logits.index)})["logits"]

    def all_heads(self, images: np.ndarray, on_progress: OnProgress = ignore) -> np.ndarray:
        """Runs the model once per image and reads the logits of all heads.

        All heads are computed whichever is asked for; the selection only picks a row. Reading the row table
        gives the same bytes as one invoke per head.

        Args:
            images: int8 [N, height, width, channels].
            on_progress: takes progress events.

        Returns:
            int8 [N, heads, classes].
        """
        table = self.artifact.head_table
        answers = np.empty((len(images), self.artifact.heads, self.artifact.classes), np.int8)
        for index, image in enumerate(images):
            self.invoke(image, 0)
            answers[index] = self._tensor(table)
            if index % 500 == 499:
                on_progress(Progress(index + 1, len(images), f"{index + 1:,} of {len(images):,} images"))
        return answers


def open_interpreter(
    artifact: ModelArtifact, kernels: str = REFERENCE_KERNELS, keep_tensors: bool = True, runtime: str | None = None
) -> InterpreterModel:
    """Opens a converted file.

    Args:
        artifact: the file.
        kernels: `REFERENCE_KERNELS` or `OPTIMISED_KERNELS`.
        keep_tensors: keeps intermediate results, which `all_heads` reads; timing does without.
        runtime: `tflite-runtime` or `ai-edge-litert`; by default the first of them that is installed.

    Raises:
        EnvironmentProblem: no runtime is installed.
        UsageError: the runtime refuses the file.
    """
    name = runtime or default_runtime()
    try:
        end = large_softmax(artifact.file)
    except ModelFileError as error:
        raise EnvironmentProblem(f"the model's last layer is damaged: {error}") from error
    content = end.before.content if end else artifact.file.content
    interpreter = flatbuffer_interpreter(content, name, kernels, experimental_preserve_all_tensors=keep_tensors)
    return InterpreterModel(artifact, interpreter, EngineName(name, version(name), kernels), end)
