"""A `.tflite` of anybody's, run in a process of its own."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycerb.converters.metadata import METADATA_NAME, MetadataError
from tinycerb.converters.model_file import ModelFile, ModelFileError, Tensor, read_model_file
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.ownership.questions import Questions
from tinycerb.runtimes.answering import Answers
from tinycerb.runtimes.engines import default_runtime
from tinycerb.runtimes.isolated import head_inputs, run_model
from tinycerb.runtimes.model_artifact import ModelArtifact
from tinycerb.verification.suspects.suspect import as_labels, other_classes

_PIXEL_TYPES = ("float32", "int8", "uint8")


@dataclass(frozen=True)
class TfliteFile:
    """A file.

    Attributes:
        path: where it lies.
        file: what is in it.
        classes: of the model that it is compared with.
    """

    path: Path
    file: ModelFile
    classes: int

    @property
    def told(self) -> str:
        """What it is."""
        return str(self.path)

    def labels(self, questions: Questions) -> np.ndarray:
        """See `Suspect.labels`."""
        if METADATA_NAME in self.file.metadata and "logits" in self.file.outputs:
            return artifact_labels(self.path, self._artifact(), questions.images)
        return as_labels(self._foreign(questions.images), len(questions), self.classes, self.told)

    def _artifact(self) -> ModelArtifact:
        try:
            artifact = ModelArtifact.of(self.file, self.path.parent)
        except MetadataError as error:
            raise EnvironmentProblem(f"{self.path}: {error}") from error
        if artifact.classes != self.classes:
            raise UsageError(other_classes(self.told, artifact.classes, self.classes))
        return artifact

    def _foreign(self, images: np.ndarray) -> np.ndarray:
        name, image = _only(self.file.inputs, "input", self.path)
        answer, _ = _only(self.file.outputs, "output", self.path)
        check_shape(image.shape[1:], images.shape[1:], self.told)
        if image.dtype not in _PIXEL_TYPES:
            raise UsageError(f"{self.path} takes {image.dtype}; allowed: {', '.join(_PIXEL_TYPES)}")
        values = _pixels(image, images).reshape(len(images), 1, *image.shape[1:])
        outputs = run_model(self.path, {name: values}, default_runtime(), called=self.told).outputs[answer]
        return outputs.reshape(len(images), -1)


def open_tflite_file(path: Path, classes: int) -> TfliteFile:
    """Reads a file.

    Raises:
        EnvironmentProblem: it is missing.
        UsageError: it is no `.tflite` file.
    """
    try:
        return TfliteFile(path, read_model_file(path), classes)
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {path}: {error.strerror or error}") from error
    except ModelFileError as error:
        raise UsageError(f"{path}: {error}") from error


def artifact_labels(path: Path, artifact: ModelArtifact, images: np.ndarray) -> np.ndarray:
    """Returns the labels that a TinyCerb file answers images with, int64 [N]; of several heads their mean's.

    Args:
        path: the file.
        artifact: its content.
        images: uint8 [N, height, width, channels].

    Raises:
        UsageError: images of another shape.
        EnvironmentProblem: the file cannot be run.
    """
    codes = artifact.quantize(images)
    answers = Answers(artifact).of_all(codes, _logits(path, artifact, images, codes))
    return answers.sum(axis=1, dtype=np.int64).argmax(axis=1)


def artifact_logits(path: Path, artifact: ModelArtifact, images: np.ndarray) -> np.ndarray:
    """Returns what a TinyCerb file computes before its response, int64 [N, heads, classes]; errors as above."""
    return _logits(path, artifact, images, artifact.quantize(images)).astype(np.int64)


def _logits(path: Path, artifact: ModelArtifact, images: np.ndarray, codes: np.ndarray) -> np.ndarray:
    check_shape(artifact.image_shape, images.shape[1:], str(path))
    inputs = {
        name: values for name, values in head_inputs(codes, artifact.heads).items() if name in artifact.file.inputs
    }
    outputs = run_model(path, inputs, default_runtime(), called=str(path)).outputs["logits"]
    return outputs.reshape(len(images), artifact.heads, artifact.classes)


def check_shape(wanted: tuple[int, ...], given: tuple[int, ...], told: str) -> None:
    """Compares the shape of images, up to axes of one.

    Raises:
        UsageError: they differ.
    """
    if [side for side in wanted if side != 1] != [side for side in given if side != 1]:
        raise UsageError(
            f"{told} takes images of {'x'.join(map(str, wanted))}, the model of {'x'.join(map(str, given))}: ask it "
            "yourself, with images of its size: tinycerb ownership questions"
        )


def _only(ends: dict[str, Tensor], kind: str, path: Path) -> tuple[str, Tensor]:
    if len(ends) != 1:
        raise UsageError(f"{path} has {len(ends)} {kind}s; allowed: one, or a file of TinyCerb's")
    return next(iter(ends.items()))


def _pixels(image: Tensor, images: np.ndarray) -> np.ndarray:
    """What the file takes for pixels: real values of 0..1, or what stands for them."""
    if image.dtype == "float32":
        return images.astype(np.float32) / 255
    scale, zero = (image.scales[0], image.zero_points[0]) if image.scales else (1 / 255, 0)
    limits = np.iinfo(image.dtype)
    codes = np.rint(images.astype(np.float64) / 255 / scale + zero)
    return np.clip(codes, limits.min, limits.max).astype(image.dtype)
