"""A float network beside a victim's file, which some responses ask about every question. Host only."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tinycerb.errors import EnvironmentProblem
from tinycerb.runtimes.engines import OPTIMISED_KERNELS, default_runtime, flatbuffer_interpreter
from tinycerb.seal.files import read_bytes


def open_auxiliary_model(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """Returns the function from float32 images [N, ...] in 0..1 to float32 [N, outputs].

    Raises:
        EnvironmentProblem: the file is missing.
    """
    if not path.exists():
        raise EnvironmentProblem(
            f"cannot read {path}: it is not there; this response answers within a run only: tinycerb convert RUN"
        )
    content = read_bytes(path)
    interpreter = flatbuffer_interpreter(content, default_runtime(), OPTIMISED_KERNELS)
    (source,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(images: np.ndarray) -> np.ndarray:
        rows = []
        for image in images:
            interpreter.set_tensor(source["index"], image[np.newaxis].astype(np.float32))
            interpreter.invoke()
            rows.append(interpreter.get_tensor(result["index"])[0])
        return np.array(rows)

    return run
