"""A converted file in a TFLite interpreter, one thread. Never imported where TensorFlow is.

TensorFlow and tflite-runtime hold the same C++ symbols: whichever loads second fails inside Interpreter().
"""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tinycerb.events import Progress, Report, ignore
from tinycerb.runtimes.engines import (
    OPTIMISED_KERNELS,
    REFERENCE_KERNELS,
    EngineName,
    default_runtime,
    flatbuffer_interpreter,
)
from tinycerb.runtimes.model_artifact import HeadSelectFile, read_head_select_file
from tinycerb.runtimes.quantized_images import quantize_images

__all__ = ["OPTIMISED_KERNELS", "REFERENCE_KERNELS", "HeadSelectModel", "open_model", "quantize_images"]


@dataclass(frozen=True)
class HeadSelectModel(HeadSelectFile):
    """A converted model, ready to run.

    Attributes:
        interpreter: the interpreter, tensors allocated.
        engine: which runtime that is, with which kernels.
    """

    interpreter: Any
    engine: EngineName

    def invoke(self, image: np.ndarray, head: int) -> np.ndarray:
        """Runs the model as the device does.

        Args:
            image: int8 [height, width, channels].
            head: 0 to heads - 1.

        Returns:
            int8 [classes], the head's logits times its alpha.
        """
        self.interpreter.set_tensor(self.file.inputs["image"].index, image[np.newaxis])
        if "head" in self.file.inputs:
            self.interpreter.set_tensor(self.file.inputs["head"].index, np.array([head], np.int32))
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.file.outputs["logits"].index)[0]

    def all_heads(self, images: np.ndarray, report: Report = ignore) -> np.ndarray:
        """Runs the model once per image and reads the logits of all heads.

        All heads are computed whichever is asked for; the selection only picks a row. Reading the row table
        gives the same bytes as one invoke per head.

        Args:
            images: int8 [N, height, width, channels].
            report: takes progress events.

        Returns:
            int8 [N, heads, classes].
        """
        selection = self.file.head_operator
        # A file without head selection has one head: its output is the table.
        table = selection.inputs[0].index if selection else self.file.outputs["logits"].index
        answers = np.empty((len(images), self.heads, self.classes), np.int8)
        for index, image in enumerate(images):
            self.invoke(image, 0)
            answers[index] = self.interpreter.get_tensor(table)
            if index % 500 == 499:
                report(Progress(index + 1, len(images), f"{index + 1:,} of {len(images):,} images"))
        return answers


def open_model(
    path: Path, kernels: str = REFERENCE_KERNELS, keep_tensors: bool = True, runtime: str | None = None
) -> HeadSelectModel:
    """Opens a converted file.

    Args:
        path: the `.tflite` file.
        kernels: `REFERENCE_KERNELS` or `OPTIMISED_KERNELS`.
        keep_tensors: keeps intermediate results, which `all_heads` reads; timing does without.
        runtime: `tflite-runtime` or `ai-edge-litert`; by default the first of them that is installed.

    Raises:
        EnvironmentProblem: the file is missing or damaged, or no runtime is installed.
        UsageError: the file was not made by `tinycerb convert`.
    """
    found = read_head_select_file(path)
    name = runtime or default_runtime()
    interpreter = flatbuffer_interpreter(
        found.file.content, name, kernels, experimental_preserve_all_tensors=keep_tensors
    )
    return HeadSelectModel(
        found.folder, found.file, found.metadata, interpreter, EngineName(name, version(name), kernels)
    )
