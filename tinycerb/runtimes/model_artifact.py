"""A `.tflite`, parsed once, with its card: what is handed on wherever a model is meant. Needs no runtime."""

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np

from tinycerb.answers.normalise import normalise
from tinycerb.converters.integer_softmax import softmax_codes
from tinycerb.converters.metadata import MetadataError, head_scales, read_metadata
from tinycerb.converters.model_file import ModelFile, ModelFileError, Tensor, parse_model
from tinycerb.converters.pixel_codes import quantize_pixels
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.runtimes.model_card import ModelCard
from tinycerb.seal.files import read_bytes


@dataclass(frozen=True)
class ModelArtifact:
    """A model that answers with classes.

    Attributes:
        file: the parsed file.
        card: what it says about itself; of a file that says nothing, what its graph shows.
        folder: where it lies, for networks beside it; None where it lies nowhere yet.
    """

    file: ModelFile
    card: ModelCard
    folder: Path | None = field(default=None, compare=False)

    @classmethod
    def of(cls, file: ModelFile, folder: Path | None = None) -> "ModelArtifact":
        """Takes a file of any origin; one without a card has heads of alpha 1 and no response.

        Raises:
            MetadataError: its card is damaged or of a newer version.
        """
        metadata = read_metadata(file)
        if metadata is not None:
            return cls(file, ModelCard.from_json(metadata), folder)
        table = _table(file).shape
        # A file without head selection gives a batch of one.
        heads = table[0] if file.head_operator and len(table) == 2 else 1
        return cls(file, ModelCard(heads=heads, classes=table[-1] if table else 1, alphas=(1.0,) * heads), folder)

    @property
    def heads(self) -> int:
        """Number of heads, those included that never answer alone."""
        return self.card.heads

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.card.classes

    @property
    def selection(self) -> str:
        """How heads are drawn; the first one alone where the card does not say it."""
        return self.card.selection or "fixed"

    @property
    def image(self) -> Tensor:
        """The input of images."""
        return self.file.inputs["image"]

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Of one image: height, width, channels; other files may have fewer axes."""
        return self.image.shape[1:]

    @property
    def head_table(self) -> Tensor:
        """The outputs of all heads [heads, classes]; without head selection the file's only output."""
        return _table(self.file)

    @cached_property
    def sha256(self) -> str:
        """Of the file, 64 hexadecimal digits."""
        return sha256(self.file.content).hexdigest()

    @cached_property
    def head_scales(self) -> tuple[float, ...] | None:
        """What one step of each head's outputs is worth as a logit; None where they are posteriors already."""
        return head_scales(self.file, self.heads)

    def posteriors(self, outputs: np.ndarray) -> np.ndarray:
        """Returns what each head says, before any response: the one rule for host and device, whoever made the file.

        Args:
            outputs: int8 [N, heads, classes], the file's outputs with each head.

        Returns:
            uint8 [N, heads, classes]: codes k/256 whose rows sum to 256.
        """
        codes = [
            (outputs[:, head].astype(np.int16) + 128).astype(np.uint8)
            if self.head_scales is None
            else softmax_codes(outputs[:, head], self.head_scales[head])
            for head in range(self.heads)
        ]
        return np.stack([normalise(of_head) for of_head in codes], axis=1)

    def first_logits(self, outputs: np.ndarray) -> np.ndarray:
        """Returns what the first head says as logits; logarithms of its posteriors where the file says no logits.

        Args:
            outputs: int8 [N, classes].

        Returns:
            float64 [N, classes].
        """
        if self.head_scales is None:
            codes = (outputs.astype(np.int16) + 128).astype(np.uint8)
            # A code of 0 is less than half a step.
            return np.log((normalise(codes).astype(np.float64) + 0.5) / 256)
        return outputs.astype(np.float64) * self.head_scales[0]

    def quantize(self, images: np.ndarray) -> np.ndarray:
        """Returns uint8 images (0..255 for 0..1) as the int8 that the file's input wants."""
        return quantize_pixels(self.image, images)

    def real_values(self, images: np.ndarray) -> np.ndarray:
        """Returns what int8 images stand for, float32 in 0..1."""
        return (images.astype(np.float32) - self.image.zero_points[0]) * np.float32(self.image.scales[0])


def open_artifact(path: Path) -> ModelArtifact:
    """Reads a converted file.

    Raises:
        EnvironmentProblem: the file is missing or damaged, or its card is of a newer version.
        UsageError: the file was not made by `tinycerb convert`.
    """
    try:
        file = parse_model(read_bytes(path))
        metadata = read_metadata(file)
        if metadata is None or "logits" not in file.outputs or "image" not in file.inputs:
            raise UsageError(f"{path} was not made by TinyCerb; make it with: tinycerb convert")
        artifact = ModelArtifact(file, ModelCard.from_json(metadata), path.parent)
    except (ModelFileError, MetadataError) as error:
        raise EnvironmentProblem(f"{path}: {error}; make it again with: tinycerb convert") from error
    table = _table(file).shape
    if table != (artifact.heads, artifact.classes):
        raise EnvironmentProblem(
            f"{path}: its metadata promise {artifact.heads} heads of {artifact.classes} classes, but its head "
            f"selection reads a table {list(table)}; make it again with: tinycerb convert"
        )
    return artifact


def _table(file: ModelFile) -> Tensor:
    selection = file.head_operator
    return selection.inputs[0] if selection else next(iter(file.outputs.values()))
