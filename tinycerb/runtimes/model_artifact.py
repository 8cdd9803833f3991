"""What a converted file says about itself: heads, scales, response. Needs neither TensorFlow nor a runtime."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinycerb.converters.metadata import read_metadata
from tinycerb.converters.model_file import ModelFile, ModelFileError, parse_model
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.runtimes.quantized_images import quantize_images
from tinycerb.seal.files import read_bytes


@dataclass(frozen=True)
class HeadSelectFile:
    """A converted file.

    Attributes:
        folder: where it lies.
        file: the parsed file.
        metadata: what it says about itself.
    """

    folder: Path
    file: ModelFile
    metadata: dict[str, Any]

    @property
    def heads(self) -> int:
        """Number of heads."""
        return int(self.metadata["heads"])

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.metadata["classes"])

    @property
    def response(self) -> str:
        """What is done to every posterior, as `tinycerb.answers.responses` reads it."""
        return str(self.metadata.get("response", "none"))

    @property
    def combined_by(self) -> str:
        """Name of the response that makes one answer of all heads; "" where each answers alone."""
        return str(self.metadata.get("combined_by", ""))

    @property
    def ends_in_softmax(self) -> bool:
        """Whether the output holds posteriors instead of logits, as in files that TinyCerb did not convert."""
        return self.file.gives_posteriors

    def head_scales(self) -> list[float]:
        """Returns what one step of a head's int8 logits is worth, per head."""
        scale = self.file.outputs["logits"].scales[0]
        return [scale / alpha for alpha in self.metadata["alphas"]]

    def quantize(self, images: np.ndarray) -> np.ndarray:
        """Returns uint8 images (0..255 for 0..1) as the int8 that the file's input wants."""
        return quantize_images(self.file, images)

    def real_values(self, images: np.ndarray) -> np.ndarray:
        """Returns what int8 images stand for, float32 in 0..1."""
        image = self.file.inputs["image"]
        return (images.astype(np.float32) - image.zero_points[0]) * np.float32(image.scales[0])


def read_head_select_file(path: Path) -> HeadSelectFile:
    """Reads a converted file.

    Raises:
        EnvironmentProblem: the file is missing or damaged.
        UsageError: the file was not made by `tinycerb convert`.
    """
    try:
        file = parse_model(read_bytes(path))
        metadata = read_metadata(file)
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
    return HeadSelectFile(path.parent, file, metadata)
