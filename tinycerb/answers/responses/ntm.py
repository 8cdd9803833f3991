"""NTM: answers through a fixed noise transition matrix."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from tinycerb.answers.normalise import TOTAL, normalise
from tinycerb.answers.responses.building_blocks.moves import keep_top
from tinycerb.answers.responses.fitting import FittingContext
from tinycerb.answers.responses.response import RESPONSES, Response, ResponseStep
from tinycerb.bounded.arrays import read_npy
from tinycerb.converters.c_model.layer import Array
from tinycerb.datasets.procedural import generate
from tinycerb.errors import UsageError
from tinycerb.options import check_options, option

# Products of two codes have 16 bits; weights of `normalise` have 11.
_DROPPED_BITS = 5
# Far from the seeds of training's own procedural images.
_SEED_OFFSET = 400_000
_IMAGES, _SURROGATE_EPOCHS = 4000, 2


@RESPONSES.register("ntm")
@dataclass(frozen=True)
class NoiseTransition(Response):
    """Answers y' = T' y: a class k is told as class j with probability T[k, j], row by row in steps of 1/256.

    Without a matrix of one's own, T keeps 1 - noise on its diagonal and spreads the noise over the other classes:
    evenly with seed 0, else as drawn from a Dirichlet distribution. A row holds 255/256 at most, as every posterior.

    A model's file carries its matrix in its metadata: `file` is read when the response is put on a file, and becomes
    `matrix`, the bytes row by row in URL-safe base64 without padding.
    """

    name = "ntm"
    final = False
    strength = "noise"

    noise: float = option(0.3, "probability of another class", 0, 1)
    seed: int = option(0, "of an uneven spread; 0: even", 0, 2**31 - 1)
    file: str = option("", "a .npy file with a matrix [classes, classes] of one's own, rows that sum to 1", local=True)
    matrix: str = option("", "the same as bytes, base64")
    learned: bool = option(False, "where the noise goes is learned against a student when `tinycerb run` converts")
    preserve_top1: bool = option(False, "keep the label where the matrix would change it")

    def __post_init__(self) -> None:
        """Checks the options, and reads the matrix so that a wrong one is named now."""
        check_options(self)
        given = [name for name in ("file", "matrix", "learned") if getattr(self, name)]
        if len(given) > 1:
            raise UsageError(f"response 'ntm' has {' and '.join(given)}; give one of them")
        if self.file or self.matrix:
            self.transitions(len(own_matrix(self.file, self.matrix)))

    def transitions(self, classes: int) -> np.ndarray:
        """Returns T in steps of 1/256, uint8 [classes, classes], rows that sum to 256.

        Raises:
            UsageError: the matrix is for another number of classes.
        """
        if self.learned:
            raise UsageError(
                "response 'ntm' with learned=true has no matrix: `tinycerb run` learns it from the victim's images; "
                'name it in the configuration, response = "ntm,learned=true", or with --defense ntm,learned=true'
            )
        if not (self.file or self.matrix):
            return _noise_matrix(self.noise, self.seed, classes)
        found = own_matrix(self.file, self.matrix)
        if len(found) != classes:
            raise UsageError(f"the matrix of response 'ntm' is for {len(found)} classes; the model has {classes}")
        return found

    def fit(self, context: FittingContext) -> "NoiseTransition":
        """Learns where the noise goes, where `learned` is set.

        The thief's questions are unknown: the surrogate is distilled from the clean victim on procedural images, and
        its features are what the student sees.
        """
        if not self.learned:
            return self
        from tinycerb.answers.responses.building_blocks.transition_matrix import features_of, learn_transitions

        train, seed = context.dataset.train, context.seed + _SEED_OFFSET
        count = min(_IMAGES, len(train.images))
        asked = generate(context.families, _IMAGES, train.images, seed)
        surrogate = context.surrogate(asked, _SURROGATE_EPOCHS, seed)
        seen = [features_of(surrogate.network, images) for images in (asked, train.images[:count])]
        return self.with_matrix(
            learn_transitions(self.noise, seen[0], surrogate.posteriors, seen[1], train.labels[:count])
        )

    def with_matrix(self, transitions: np.ndarray) -> "NoiseTransition":
        """Returns the same response with a matrix that was learned, float [classes, classes], rows that sum to 1."""
        return replace(self, learned=False, matrix=_as_text(_to_codes(transitions)))

    def embedded(self) -> "NoiseTransition":
        """Returns the same response with its file's content in place of the file's name."""
        if not self.file:
            return self
        return replace(self, file="", matrix=_as_text(own_matrix(self.file, "")))

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Returns codes through the matrix."""
        # Sums of 2^16 at most: float32 holds them exactly and multiplies fast.
        products = codes.astype(np.float32) @ self.transitions(codes.shape[1]).astype(np.float32)
        weights = (products.astype(np.int32) + (1 << _DROPPED_BITS >> 1)) >> _DROPPED_BITS
        answers = normalise(weights)
        return keep_top(answers, codes.argmax(axis=1)) if self.preserve_top1 else answers

    def device(self, classes: int) -> Sequence[ResponseStep]:
        """Returns the step with its matrix of classes^2 bytes."""
        parameters = {"matrix": Array(self.transitions(classes)), "keep": int(self.preserve_top1)}
        return (ResponseStep("tc_respond_ntm", parameters),)


@lru_cache(maxsize=64)
def _noise_matrix(noise: float, seed: int, classes: int) -> np.ndarray:
    others = np.ones((classes, classes - 1)) / (classes - 1)
    if seed:
        others = np.random.default_rng(seed).dirichlet(np.ones(classes - 1), classes)
    whole = np.empty((classes, classes))
    for row in range(classes):
        whole[row] = np.insert(noise * others[row], row, 1 - noise)
    return _to_codes(whole)


@lru_cache(maxsize=64)
def own_matrix(file: str, text: str) -> np.ndarray:
    """Reads a matrix from a .npy file, or from base64.

    Returns:
        uint8 [classes, classes], rows that sum to 256.

    Raises:
        UsageError: no such file, no square matrix, or rows that are no distributions.
    """
    if text:
        try:
            content = np.frombuffer(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True), np.uint8)
        except binascii.Error as error:
            raise UsageError(f"the matrix of response 'ntm' is no base64: {error}") from None
        classes = int(len(content) ** 0.5)
        if classes < 2 or classes**2 != len(content) or (content.reshape(classes, -1).sum(axis=1) != TOTAL).any():
            raise UsageError(
                f"the matrix of response 'ntm' has {len(content)} bytes; expected K x K with rows that sum to 256"
            )
        return content.reshape(classes, classes)
    try:
        found = read_npy(Path(file))
    except (OSError, ValueError, EOFError) as error:
        raise UsageError(f"cannot read the matrix {file} of response 'ntm': {error}; make it with numpy.save") from None
    if (
        found.ndim != 2
        or found.shape[0] != found.shape[1]
        or not 2 <= len(found) <= TOTAL
        or found.dtype.kind not in "iuf"
    ):
        raise UsageError(f"{file} holds {found.dtype} {found.shape}; expected numbers [K, K] with 2 to 256 classes")
    if not (found >= 0).all() or not np.allclose(found.sum(axis=1), 1, atol=1e-3):
        raise UsageError(f"{file}: its rows sum to {found.sum(axis=1).round(3)[:4]}...; expected 1, nothing below 0")
    return _to_codes(found.astype(np.float64))


def _as_text(matrix: np.ndarray) -> str:
    return base64.urlsafe_b64encode(matrix.tobytes()).decode().rstrip("=")


def _to_codes(rows: np.ndarray) -> np.ndarray:
    return normalise(np.rint(rows * 2048).astype(np.int64))
