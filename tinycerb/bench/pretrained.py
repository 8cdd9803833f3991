"""Pretrained students, kept beside what was fetched: nothing made of others' photographs lies in a run.

A file is named by all that decides its weights. One that is damaged is made again.
"""

import hashlib
import json
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf

from tinycerb.atomic import locked_beside, make_directory, write_arrays
from tinycerb.attacks.building_blocks.pretraining import RECIPE, Pretrained, pretrain, weights_of_body
from tinycerb.attacks.building_blocks.students import Student
from tinycerb.bounded.arrays import read_npz
from tinycerb.datasets.fetched import FOLDER
from tinycerb.datasets.images import LabelledImages, digest_arrays
from tinycerb.datasets.query_pools import labelled_images
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.events import OnProgress
from tinycerb.training.setup import make_repeatable

CACHE = FOLDER / "pretrained"
_ACCURACY = "accuracy"


def pretrained_student(
    student: str,
    network: Student,
    pool: str,
    image_shape: tuple[int, int, int],
    seed: int,
    digest: str,
    code: str,
    on_progress: OnProgress,
    folder: Path | None = None,
) -> Pretrained:
    """Returns what a student has learned of a pool's labelled images; it is trained where no file knows it yet.

    Args:
        student: its name.
        network: builds it, for a shape and a number of classes.
        pool: a query pool with labels.
        image_shape: height, width and channels of the task.
        seed: of the student's weights and the order of the images.
        digest: of the labelled images that are wanted, as `digest_labelled` gives it.
        code: digest of the code of student and pretraining.
        on_progress: takes progress events.
        folder: where files are kept; `CACHE` if left out.

    Raises:
        UsageError: a pool without labels, or a student that cannot be pretrained.
        EnvironmentProblem: the images are not here, or are others, or the folder cannot be written.
    """
    build = partial(network, image_shape)
    shapes = [tuple(variable.shape) for variable in weights_of_body(build(2))]
    facts = {
        "student": student,
        "image_shape": image_shape,
        "weights": shapes,
        "photographs": digest,
        "seed": seed,
        "recipe": asdict(RECIPE),
        "code": code,
        "tensorflow": tf.__version__,
    }
    name = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    path = (folder or CACHE) / f"{student}-{name}.npz"
    _require_writable(path.parent)
    # Whoever wants the same student meanwhile waits for it.
    with locked_beside(path):
        found = _read(path, shapes)
        if found is None:
            photographs = _photographs(pool, image_shape, digest)
            make_repeatable(seed)
            found = pretrain(build, photographs, seed, on_progress)
            named = dict(zip(_names(shapes), found.weights, strict=True))
            write_arrays(path, {_ACCURACY: np.array(found.accuracy), **named})
        return found


def _photographs(pool: str, image_shape: tuple[int, int, int], digest: str) -> LabelledImages:
    found = labelled_images(pool, image_shape)
    if digest_arrays(found.images, found.labels) != digest:
        raise EnvironmentProblem(
            f"the images of {pool} on {socket.gethostname()} are not those that this cell's student is pretrained on; "
            "fetch them again on both computers, with the same versions of TinyCerb and Pillow"
        )
    return found


def _names(shapes: Sequence[tuple[int, ...]]) -> list[str]:
    return [f"weights_{index}" for index in range(len(shapes))]


def _read(path: Path, shapes: Sequence[tuple[int, ...]]) -> Pretrained | None:
    """Reads a file; None where there is none, or it is damaged."""
    try:
        arrays = read_npz(path)
        weights, accuracy = [arrays[name] for name in _names(shapes)], float(arrays[_ACCURACY])
    except (EnvironmentProblem, UsageError, KeyError, TypeError, ValueError):
        return None
    sound = all(array.shape == shape and np.isfinite(array).all() for array, shape in zip(weights, shapes, strict=True))
    return Pretrained(weights, accuracy) if sound else None


def _require_writable(folder: Path) -> None:
    with suppress(EnvironmentProblem):
        make_directory(folder)
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise EnvironmentProblem(f"{folder} cannot be written: pretrained students are kept there; make it writable")
