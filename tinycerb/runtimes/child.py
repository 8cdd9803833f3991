"""Runs one .tflite file of unknown origin in a process of its own, within limits.

python -m tinycerb.runtimes.child '{"model": "...", "runtime": "tflite-runtime", "kernels": "reference"}'

Standard input: every input with one row per run, as `pack_arrays` has it. Standard output: the outputs, likewise. The
engine's name and, for tflite-micro, the arena go to standard error.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tinycerb.converters.model_file import ModelFileError, read_model_file
from tinycerb.errors import TinyCerbError
from tinycerb.runtimes.engines import interpreter_class, open_engine
from tinycerb.runtimes.named_arrays import pack_arrays, unpack_arrays

# Seconds of processor time for loading the model and for its first answer, and bytes that it may take for both.
_FIRST_ANSWER_SECONDS = 2.0
_MOST_BYTES = 512 * 2**20


def main() -> None:
    """Answers one request."""
    spec: dict[str, Any] = json.loads(sys.argv[1])
    replies = os.fdopen(os.dup(1), "wb")
    # Whatever a runtime prints must not end up between the arrays.
    os.dup2(2, 1)
    inputs = unpack_arrays(sys.stdin.buffer.read())
    try:
        file = read_model_file(Path(spec["model"]))
        interpreter_delegates = [_load_delegate(spec)] if spec.get("delegate") else []
        # A hostile file may crash, hang or swallow memory in the runtime's own code: the system ends it then.
        resource.setrlimit(resource.RLIMIT_DATA, (_MOST_BYTES, _MOST_BYTES))
        signal.setitimer(signal.ITIMER_PROF, _FIRST_ANSWER_SECONDS)
        engine = open_engine(file, spec["runtime"], spec["kernels"], interpreter_delegates)
        outputs: dict[str, list[np.ndarray]] = {name: [] for name in file.outputs}
        for row in range(len(next(iter(inputs.values())))):
            answer = engine.run({name: values[row] for name, values in inputs.items()})
            signal.setitimer(signal.ITIMER_PROF, 0)
            for name, value in answer.items():
                outputs[name].append(np.array(value))
    except (TinyCerbError, ModelFileError, OSError, MemoryError, RuntimeError, ValueError, KeyError) as error:
        # Runtimes put several lines into one message.
        sys.exit(f"{type(error).__name__}: {' '.join(str(error).split())}")
    replies.write(pack_arrays({name: np.stack(values) for name, values in outputs.items()}))
    replies.close()
    sys.stderr.write(f"\nengine {json.dumps(engine.name.facts())}\n")
    sys.stderr.flush()
    if hasattr(engine, "print_allocations"):
        engine.print_allocations()  # pyright: ignore[reportAttributeAccessIssue]


def _load_delegate(spec: dict[str, Any]) -> object:
    interpreter_class(spec["runtime"])
    module = sys.modules[f"{spec['runtime'].replace('-', '_')}.interpreter"]
    return module.load_delegate(spec["delegate"], spec.get("delegate_options", {}))


if __name__ == "__main__":
    main()
