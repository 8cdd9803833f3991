"""Working memory on the device: what TensorFlow Lite Micro's own interpreter allocates for a file."""

from pathlib import Path

import numpy as np

from tinycerb.errors import EnvironmentProblem
from tinycerb.runtimes.engines import installed_runtimes
from tinycerb.runtimes.isolated import head_inputs, run_model
from tinycerb.runtimes.running_model import RunningModel

_CHECKED_IMAGES = 20


def measure_arena(path: Path, model: RunningModel, images: np.ndarray) -> dict[str, object] | None:
    """Runs a file in tflite-micro's host interpreter.

    Args:
        path: the `.tflite` file.
        model: the same file under the reference kernels of another runtime.
        images: test images, of which a few are compared byte by byte.

    Returns:
        Arena bytes (measured on a 64-bit host with reference kernels: the persistent tail is smaller on a 32-bit
        core) and the number of output bytes that differ from the other runtime; None without tflite-micro.

    Raises:
        EnvironmentProblem: tflite-micro cannot run the file.
    """
    if "tflite-micro" not in installed_runtimes():
        return None
    quantized = model.artifact.quantize(images[:_CHECKED_IMAGES])
    found = run_model(path, head_inputs(quantized, model.artifact.heads), "tflite-micro")
    if set(found.arena) != {"total", "head", "tail"}:
        raise EnvironmentProblem(f"tflite-micro ran {path} but did not say what it allocated")
    answers = found.outputs["logits"][:, 0]
    expected = model.all_heads(quantized).reshape(answers.shape)
    return {
        "arena_bytes": found.arena["total"],
        "arena_nonpersistent_bytes": found.arena["head"],
        "arena_persistent_bytes": found.arena["tail"],
        "compared_bytes": int(answers.size),
        "differing_bytes": int((answers != expected).sum()),
        "engines": [found.engine.facts(), model.engine.facts()],
    }
