"""What TFLite's reference kernels say of files that may crash them: python reference_models.py FOLDER...

A folder holds model.tflite, images.bin and `heads`; expected.bin is written there. Each file has a process of its own.
Prints a line per folder: `ok`, or what came instead.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tflite_runtime.interpreter import Interpreter, OpResolverType

SECONDS = 60


def ends(inner: Any) -> tuple[dict[type, int], int, list[int]]:
    """Inputs by type, output, and the image's shape; the public calls read names, too, which may be no text."""
    inputs = {inner.TensorType(index, 0): index for index in inner.InputIndices()}
    (output,) = inner.OutputIndices()
    return inputs, output, inner.TensorSize(inputs[np.int8], 0)


def run(folder: Path) -> str:
    try:
        interpreter = Interpreter(
            model_content=(folder / "model.tflite").read_bytes(),
            num_threads=1,
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        )
        interpreter.allocate_tensors()
        inputs, output, shape = ends(interpreter._interpreter)
        images = np.fromfile(folder / "images.bin", np.int8).reshape(-1, *shape)
        expected = []
        for values in images:
            for head in range(int((folder / "heads").read_text())):
                interpreter.set_tensor(inputs[np.int8], values)
                if np.int32 in inputs:
                    interpreter.set_tensor(inputs[np.int32], np.array([head], np.int32))
                interpreter.invoke()
                expected.append(interpreter.get_tensor(output).tobytes())
    except (ValueError, RuntimeError) as error:
        return f"refused: {error}".replace("\n", " ")
    (folder / "expected.bin").write_bytes(b"".join(expected))
    return "ok"


def run_child(folder: Path) -> str:
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            told = run(folder)
        except BaseException as error:
            told = f"ended by {error!r}"
        os.write(writes, told.encode()[:4000])
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    return text if status == 0 else f"ended by {signal.Signals(os.WTERMSIG(status)).name}"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(run_child(Path(name)), flush=True)  # noqa: T201
