"""`python -m tinycerb.verification.suspects.answer_apart SOURCE QUESTIONS ANSWERS`: asks a Keras file or a function."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np

from tinycerb.atomic import write_arrays
from tinycerb.bounded.arrays import read_npz
from tinycerb.config.user_sources import code_is_allowed, find_reference, is_reference
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.subprocess_call import answer
from tinycerb.verification.suspects.tflite_file import check_shape


def _work() -> None:
    source, asked, answered = sys.argv[1:]
    images = read_npz(Path(asked))["images"]
    predict = find_reference(source) if is_reference(source) else _network(Path(source), images.shape[1:])
    try:
        answers = np.asarray(predict(images))
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"{source} failed ({type(error).__name__}: {error}); it is called with images, uint8 {list(images.shape)}"
        ) from error
    if answers.dtype.kind == "O":
        raise UsageError(f"{source} returned Python objects; allowed: labels [N], or posteriors [N, classes]")
    write_arrays(Path(answered), {"answers": answers})


def _network(path: Path, shape: tuple[int, ...]) -> Callable[[np.ndarray], object]:
    from tinycerb.compression.quantization import open_quantization_aware
    from tinycerb.keras_models.keras_file import DamagedKerasFileError, KerasFileError

    try:
        model = open_quantization_aware(path, code_is_allowed())
    except DamagedKerasFileError as error:
        raise EnvironmentProblem(str(error)) from error
    except KerasFileError as error:
        raise UsageError(f"{error}; a suspect may also be your function: package.module:predict") from error
    check_shape(tuple(model.input_shape[1:]), shape, str(path))

    def predict(images: np.ndarray) -> np.ndarray:
        pixels = images.reshape(-1, *model.input_shape[1:]).astype(np.float32) / 255
        # Keras' own annotation does not know 0.
        said = np.asarray(model.predict(pixels, batch_size=256, verbose=cast(Any, 0)))
        # Heads are outputs of their own, or rows of one: their mean answers.
        axis = 0 if isinstance(model.output, list) else 1
        return said if said.ndim == 2 else said.mean(axis=axis)

    return predict


if __name__ == "__main__":
    answer(_work)
