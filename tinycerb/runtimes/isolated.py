"""Runs a .tflite file in a child process: a crash, a hang or a flood of memory ends the child, not the tool."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tinycerb.converters.child_process import die_with_parent
from tinycerb.errors import EnvironmentProblem
from tinycerb.processes.variables import child_variables
from tinycerb.runtimes.engines import EngineName
from tinycerb.runtimes.named_arrays import pack_arrays, unpack_arrays

_ALLOCATION = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")
_ENGINE = re.compile(r"^engine (\{.*\})$", re.MULTILINE)


@dataclass(frozen=True)
class ModelRun:
    """What came out.

    Attributes:
        outputs: per output its values, one row per run.
        engine: runtime, version and kernels.
        arena: bytes in total, for activations (`head`) and kept for good (`tail`); tflite-micro only, else empty.
    """

    outputs: dict[str, np.ndarray]
    engine: EngineName
    arena: dict[str, int] = field(default_factory=dict)


def run_model(
    path: Path,
    inputs: Mapping[str, np.ndarray],
    runtime: str,
    kernels: str = "reference",
    delegate: Path | None = None,
    delegate_options: Mapping[str, str] | None = None,
    time_limit: float = 600.0,
    called: str = "",
) -> ModelRun:
    """Runs a file once per row of its inputs.

    Args:
        path: the `.tflite` file, of any origin.
        inputs: every input by name, [runs, *its shape].
        runtime: a registered runtime.
        kernels: `reference` or `optimised`.
        delegate: a delegate's shared library.
        delegate_options: texts that are passed to it.
        time_limit: seconds after which the child is ended; the first answer has two seconds of processor time.
        called: what to call the file in messages, where its path says nothing.

    Raises:
        EnvironmentProblem: the runtime cannot run the file; the message says why.
    """
    spec = {
        "model": str(path),
        "runtime": runtime,
        "kernels": kernels,
        "delegate": str(delegate.resolve()) if delegate else None,
        "delegate_options": dict(delegate_options or {}),
    }
    request = pack_arrays({name: np.asarray(values) for name, values in inputs.items()})
    command = die_with_parent([sys.executable, "-m", "tinycerb.runtimes.child", json.dumps(spec)])
    try:
        child = subprocess.run(
            command, input=request, capture_output=True, check=False, timeout=time_limit, env=child_variables()
        )
    except subprocess.TimeoutExpired:
        raise EnvironmentProblem(f"{runtime} did not finish with {called or path} within {time_limit:g} s") from None
    messages = child.stderr.decode(errors="replace")
    engine = _ENGINE.search(messages)
    if child.returncode != 0 or engine is None:
        raise EnvironmentProblem(f"{runtime} cannot run {called or path}: {_last_words(child.returncode, messages)}")
    outputs = unpack_arrays(child.stdout)
    arena = {kind: int(size) for kind, size in _ALLOCATION.findall(messages)}
    return ModelRun(outputs, EngineName(**json.loads(engine.group(1))), arena)


def head_inputs(images: np.ndarray, heads: int) -> dict[str, np.ndarray]:
    """Returns the inputs that ask every head about every image, images outermost.

    Args:
        images: int8 [N, height, width, channels].
        heads: number of heads; a file of one head may have no input for it.
    """
    return {
        "image": np.repeat(images[:, np.newaxis], heads, axis=0),
        "head": np.tile(np.arange(heads, dtype=np.int32), len(images))[:, np.newaxis],
    }


def _last_words(code: int, messages: str) -> str:
    if code == -signal.SIGPROF:
        return "no first answer within 2 s of processor time"
    if code < 0:
        return f"it ended by {signal.Signals(-code).name}"
    return (messages.strip().splitlines() or [f"exit code {code}"])[-1][-500:]
