"""One int8 .tflite file with head selection, one thread. Never imported where TensorFlow is.

TensorFlow and tflite-runtime hold the same C++ symbols: whichever loads second fails inside Interpreter().
"""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from converters.metadata import read_metadata
from converters.model_file import ModelFile, ModelFileError, read_model_file
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.events import Progress, Report, ignore
from tinycerb.runtimes.engines import (
    OPTIMISED_KERNELS,
    REFERENCE_KERNELS,
    EngineName,
    default_runtime,
    flatbuffer_interpreter,
)

__all__ = ["OPTIMISED_KERNELS", "REFERENCE_KERNELS", "HeadSelectModel", "open_model", "quantize_images"]


def quantize_images(file: ModelFile, images: np.ndarray) -> np.ndarray:
    """Returns uint8 images (0..255 for 0..1) as the int8 that a file's input `image` wants."""
    image = file.inputs["image"]
    exact = images.astype(np.float64) / 255 / image.scales[0] + image.zero_points[0]
    return np.clip(np.rint(exact), -128, 127).astype(np.int8)


@dataclass(frozen=True)
class HeadSelectModel:
    """A converted model, ready to run.

    Attributes:
        file: the parsed file.
        metadata: what the file says about itself.
        interpreter: the interpreter, tensors allocated.
        engine: which runtime that is, with which kernels.
    """

    file: ModelFile
    metadata: dict[str, Any]
    interpreter: Any
    engine: EngineName

    @property
    def heads(self) -> int:
        """Number of heads."""
        return int(self.metadata["heads"])

    @property
    def response(self) -> str:
        """What is done to every posterior, as `tinycerb.answers.responses` reads it."""
        return str(self.metadata.get("response", "none"))

    @property
    def ends_in_softmax(self) -> bool:
        """Whether the output holds posteriors instead of logits, as in files that TinyCerb did not convert."""
        return self.file.operators[-1].name == "SOFTMAX"

    def head_scales(self) -> list[float]:
        """Returns what one step of a head's int8 logits is worth, per head."""
        scale = self.file.outputs["logits"].scales[0]
        return [scale / alpha for alpha in self.metadata["alphas"]]

    def quantize(self, images: np.ndarray) -> np.ndarray:
        """Returns uint8 images (0..255 for 0..1) as the int8 that the file's input wants."""
        return quantize_images(self.file, images)

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
        answers = np.empty((len(images), self.heads, int(self.metadata["classes"])), np.int8)
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
    try:
        file = read_model_file(path)
        metadata = read_metadata(file)
    except OSError as error:
        raise EnvironmentProblem(f"cannot read the model {path}: {error.strerror}") from error
    except (ModelFileError, ValueError) as error:
        raise EnvironmentProblem(f"{path}: {error}; make it again with: tinycerb convert") from error
    if metadata is None or "logits" not in file.outputs or "image" not in file.inputs:
        raise UsageError(f"{path} was not made by TinyCerb; make it with: tinycerb convert")
    selection = file.head_operator
    table = selection.inputs[0].shape if selection else file.outputs["logits"].shape
    if table != (metadata["heads"], metadata["classes"]):
        raise EnvironmentProblem(
            f"{path}: its metadata promise {metadata['heads']} heads of {metadata['classes']} classes, but its head "
            f"selection reads a table {list(table)}; make it again with: tinycerb convert"
        )
    name = runtime or default_runtime()
    interpreter = flatbuffer_interpreter(file.content, name, kernels, experimental_preserve_all_tensors=keep_tensors)
    return HeadSelectModel(file, metadata, interpreter, EngineName(name, version(name), kernels))
