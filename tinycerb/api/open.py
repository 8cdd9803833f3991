"""`tinycerb.open`."""

from dataclasses import dataclass
from os import fspath
from pathlib import Path

import numpy as np

from tinycerb.answers.selection import HEAD_SELECTIONS
from tinycerb.api.calls import Source, working
from tinycerb.datasets.arrays import as_images
from tinycerb.errors import UsageError
from tinycerb.oracle import OracleSpec, SealedOracle
from tinycerb.runtimes.model_artifact import open_artifact
from tinycerb.runtimes.model_card import ModelCard
from tinycerb.seal.files import verify
from tinycerb.workflow.named_model import find_model

# Of an answer: codes are k/256.
_ONE = 256


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model has answered.

    Attributes:
        posteriors: float32 [N, classes], in steps of 1/256; every row sums to 1, unless a response rounds.
        class_names: one per class.
    """

    posteriors: np.ndarray
    class_names: tuple[str, ...]

    @property
    def codes(self) -> np.ndarray:
        """The same as uint8 [N, classes], as a device gives them: k for k/256."""
        return np.rint(self.posteriors * _ONE).astype(np.uint8)

    @property
    def labels(self) -> np.ndarray:
        """The most probable classes, int64 [N]; of equals the first."""
        return self.posteriors.argmax(axis=1)

    @property
    def names(self) -> list[str]:
        """The names of these classes."""
        return [self.class_names[label] for label in self.labels]

    def __len__(self) -> int:
        return len(self.posteriors)

    def to_json(self) -> dict[str, object]:
        """Returns what JSON can say of it."""
        return {"labels": self.labels.tolist(), "names": self.names, "codes": self.codes.tolist()}


@dataclass(frozen=True, repr=False)
class Model:
    """A converted model; it stands for its file wherever a path is taken.

    Attributes:
        path: the .tflite file.
        card: what it says about itself.
    """

    path: Path
    card: ModelCard

    @property
    def heads(self) -> int:
        """How many heads the file has."""
        return self.card.heads

    @property
    def class_names(self) -> tuple[str, ...]:
        """One per class; numbers where the card has no names."""
        return self.card.class_names or tuple(map(str, range(self.card.classes)))

    def predict(self, images: np.ndarray, *, selection: str = "", seed: int = 0) -> Answers:
        """Answers images as a device does: the int8 file, one head drawn for each image, then the response.

        Every call is a device that has just been switched on, in a process of its own.

        Args:
            images: uint8 [N, height, width, channels]; grey ones may come without the last axis.
            selection: how heads are drawn, `mean` for the exact mean over all of them; by default as the card says.
            seed: of the simulated device's draws.

        Returns:
            The answers.

        Raises:
            UsageError: images of another dtype or shape, or an unknown selection.
            EnvironmentProblem: no runtime is installed.
        """
        images = as_images(np.asarray(images), "images")
        if images.shape[1:] != self.card.image_shape:
            raise UsageError(f"images have the shape {images.shape[1:]}; the model takes {self.card.image_shape}")
        drawn = selection or self.card.selection or "fixed"
        if drawn != "mean":
            HEAD_SELECTIONS[drawn]
        with SealedOracle(OracleSpec(fspath(self.path), "probs", drawn, seed)) as oracle:
            return Answers(oracle.query(images), self.class_names)

    def __fspath__(self) -> str:
        return fspath(self.path)

    def __repr__(self) -> str:
        about = f"heads={self.heads}, classes={self.card.classes}, response={self.card.response!r}"
        return f"{type(self).__name__}({fspath(self.path)!r}, {about})"

    def to_json(self) -> dict[str, object]:
        """Returns what JSON can say of it."""
        return {"path": fspath(self.path), "card": self.card.to_json()}


def open(source: Source, *, progress: bool = True) -> Model:
    """Opens a converted model.

    Args:
        source: a run (its recommended victim), `RUN/victims/NAME`, a .tflite file that TinyCerb has converted, or a
            result of `train` or `convert`.
        progress: whether to say on standard error which file is meant.

    Returns:
        The model; nothing is loaded or kept open.

    Raises:
        UsageError: no model, or a run without a converted one; the message lists what there is.
        EnvironmentProblem: there is no such file, it is damaged, or it is not the one that its run has made.
    """
    with working(progress):
        path = find_model(Path(source))
        verify(path)
        return Model(path, open_artifact(path).card)
