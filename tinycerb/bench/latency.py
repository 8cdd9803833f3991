"""Host latency of the int8 files, all victims interleaved in one process so that drift hits all alike."""

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tinycerb.events import OnProgress, Progress
from tinycerb.runtimes.interpreter_model import OPTIMISED_KERNELS, REFERENCE_KERNELS, open_interpreter
from tinycerb.runtimes.model_artifact import open_artifact

_INVOKES_PER_ROUND = 5
_KERNELS = {"optimised": OPTIMISED_KERNELS, "reference": REFERENCE_KERNELS}


def measure_latency(
    models: Mapping[str, Path], rounds: int, on_progress: OnProgress
) -> dict[str, dict[str, dict[str, object]]]:
    """Times single invokes, one thread.

    Args:
        models: victim names to `.tflite` files.
        rounds: rounds over all files and kernel sets, five invokes each.
        on_progress: takes progress events.

    Returns:
        Per victim and kernel set: minimum, median and 90th percentile in microseconds, and the number of invokes.
    """
    opened = {
        (victim, kernels): open_interpreter(artifact, resolver, keep_tensors=False)
        for victim, artifact in ((victim, open_artifact(path)) for victim, path in models.items())
        for kernels, resolver in _KERNELS.items()
    }
    times: dict[tuple[str, str], list[float]] = {key: [] for key in opened}
    images = {key: np.zeros(model.artifact.image_shape, np.int8) for key, model in opened.items()}
    for key, model in opened.items():
        model.invoke(images[key], 0)
    for done in range(rounds):
        for key, model in opened.items():
            for _ in range(_INVOKES_PER_ROUND):
                start = time.perf_counter()
                model.interpreter.invoke()
                times[key].append(time.perf_counter() - start)
        on_progress(Progress(done + 1, rounds, f"round {done + 1} of {rounds}"))
    result: dict[str, dict[str, dict[str, object]]] = {victim: {} for victim in models}
    for (victim, kernels), seconds in times.items():
        microseconds = np.array(seconds) * 1e6
        result[victim][kernels] = {
            "latency_us_min": round(float(microseconds.min()), 1),
            "latency_us_p50": round(float(np.percentile(microseconds, 50)), 1),
            "latency_us_p90": round(float(np.percentile(microseconds, 90)), 1),
            "invokes": len(seconds),
            "engine": opened[victim, kernels].engine.facts(),
        }
    return result
