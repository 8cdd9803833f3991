"""The owner's teacher and those of other keys, kept beside the key so that a verification needs no TensorFlow.

Teachers of other keys stand in blocks: a network of its own each, and as many random readings of it as there are
blocks' members; the owner's teacher is one of a block of its own network. Under independence every place in this
arrangement is as likely the owner's, so that its rank is exact, at a hundredth of the cost of ten thousand networks.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycerb.atomic import describe_os_error, pack_arrays
from tinycerb.bounded.arrays import read_npz
from tinycerb.errors import EnvironmentProblem
from tinycerb.ownership.questions import Questions
from tinycerb.verification.numpy_network import features, random_weights

BLOCKS, BLOCK = 100, 100
# What teachers of other keys are drawn from; anybody may draw them again.
_PUBLIC_SEED = 20261130


@dataclass(frozen=True)
class TeacherLabels:
    """What teachers say to questions.

    Attributes:
        mine: the owner's, int64 [N].
        others: those of other keys, int16 [T, N].
    """

    mine: np.ndarray
    others: np.ndarray

    def until(self, end: int) -> "TeacherLabels":
        """Returns what they say to the questions before `end`."""
        return TeacherLabels(self.mine[:end], self.others[:, :end])


@dataclass(frozen=True)
class Teachers:
    """The owner's teacher, and what others are fitted to.

    Attributes:
        weights: of the owner's network; see `features`.
        centres: mean feature of every network, the owner's first, float64 [1 + networks, F].
        maps: from centred features to whitened components, float64 [1 + networks, F, D]; columns of zeros are none.
        projection: of the owner's components to classes, float64 [D, classes].
        mean: of the owner's logits, float64 [classes].
        deviation: theirs, float64 [classes].
    """

    weights: tuple[np.ndarray, ...]
    centres: np.ndarray
    maps: np.ndarray
    projection: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray

    def labels(self, questions: Questions) -> "TeacherLabels":
        """Returns what all of them say to questions."""
        return TeacherLabels(self.mine(questions), self.others(questions))

    def mine(self, questions: Questions) -> np.ndarray:
        """Returns the labels of the owner's teacher, int64 [N]."""
        logits = self._components(questions, self.weights, 0) @ self.projection
        return ((logits - self.mean) / (self.deviation + 1e-9)).argmax(axis=1)

    def others(self, questions: Questions) -> np.ndarray:
        """Returns the labels of teachers of other keys, int16 [T, N]: the rest of the owner's block first."""
        found = []
        for index in range(len(self.maps)):
            rng = np.random.default_rng([_PUBLIC_SEED, index])
            weights = self.weights if index == 0 else other_weights(self.weights, index)
            components = self._components(questions, weights, index)
            found.append(self._readings(components, index, BLOCK - (index == 0), rng))
        return np.concatenate(found)

    def _components(self, questions: Questions, weights: tuple[np.ndarray, ...], index: int) -> np.ndarray:
        return (features(questions.images, weights) - self.centres[index]) @ self.maps[index]

    def _readings(self, components: np.ndarray, index: int, count: int, rng: np.random.Generator) -> np.ndarray:
        """Labels of random projections; components have variance one, so that a column's norm is its deviation."""
        used = np.any(self.maps[index] != 0, axis=0)
        projections = rng.standard_normal((count, int(used.sum()), self.projection.shape[1]))
        logits = np.einsum("qd,ndk->nqk", components[:, used], projections)
        return (logits / np.linalg.norm(projections, axis=1)[:, np.newaxis]).argmax(axis=2).astype(np.int16)


def other_weights(like: tuple[np.ndarray, ...], index: int) -> tuple[np.ndarray, ...]:
    """Returns the weights of the network of another key's block, 1 or more: shaped as the owner's."""
    rng = np.random.default_rng([_PUBLIC_SEED, index, 7919])
    return tuple(random_weights([array.shape for array in like], rng))


def teachers_file(key: Path, tensors: str) -> Path:
    """Returns where the teachers of a model lie beside its key."""
    return key.with_name(f"{key.name}.teachers-{tensors[:8]}.npz")


def pack_teachers(teachers: Teachers) -> dict[str, np.ndarray]:
    """Returns them as named arrays."""
    named = {name: getattr(teachers, name) for name in ("centres", "maps", "projection", "mean", "deviation")}
    return {**named, **{f"weights_{index}": array for index, array in enumerate(teachers.weights)}}


def unpack_teachers(arrays: Mapping[str, np.ndarray]) -> Teachers:
    """Reads what `pack_teachers` gave.

    Raises:
        KeyError: something is missing.
    """
    count = sum(name.startswith("weights_") for name in arrays)
    return Teachers(
        tuple(arrays[f"weights_{index}"] for index in range(count)),
        *(arrays[name] for name in ("centres", "maps", "projection", "mean", "deviation")),
    )


def read_teachers(path: Path) -> Teachers:
    """Reads teachers that lie beside a key.

    Raises:
        EnvironmentProblem: the file is damaged, or others can read it.
    """
    if path.stat().st_mode & 0o077:
        raise EnvironmentProblem(f"others can read the teacher {path}; mend it with: chmod 600 {path}")
    try:
        return unpack_teachers(read_npz(path))
    except KeyError as error:
        raise EnvironmentProblem(f"{path} lacks {error}; delete it, and it is made again") from error


def write_teachers(path: Path, teachers: Teachers) -> None:
    """Writes teachers beside a key, mode 600 from the first moment, whole or not at all.

    Raises:
        EnvironmentProblem: it cannot be written.
    """
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pack_arrays(pack_teachers(teachers)))
        Path(temporary).replace(path)
    except OSError as error:
        raise describe_os_error(path, error) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
