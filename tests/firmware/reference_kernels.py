"""Runs .tflite files with TFLite's reference kernels: python reference_kernels.py FOLDER

For every NAME.tflite with NAME.images.npy (int8 [N, ...]) and NAME.heads (a number) in the folder it writes
NAME.expected.npy, int8 [N, heads, output bytes], and NAME.seconds, the least time of an inference.
"""

import sys
import time
from pathlib import Path

import numpy as np
from tflite_runtime.interpreter import Interpreter, OpResolverType


def run(path: Path) -> None:
    interpreter = Interpreter(
        model_content=path.read_bytes(), num_threads=1, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    inputs = {details["dtype"]: details["index"] for details in interpreter.get_input_details()}
    output = interpreter.get_output_details()[0]["index"]
    images = np.load(path.with_suffix(".images.npy"))
    heads = int(path.with_suffix(".heads").read_text())
    expected, best = [], np.inf
    for image in images:
        for head in range(heads):
            interpreter.set_tensor(inputs[np.int8], image[np.newaxis])
            if np.int32 in inputs:
                interpreter.set_tensor(inputs[np.int32], np.array([head], np.int32))
            begin = time.perf_counter()
            interpreter.invoke()
            best = min(best, time.perf_counter() - begin)
            expected.append(interpreter.get_tensor(output).reshape(-1))
    np.save(path.with_suffix(".expected.npy"), np.stack(expected).reshape(len(images), heads, -1))
    path.with_suffix(".seconds").write_text(repr(best))


if __name__ == "__main__":
    for found in sorted(Path(sys.argv[1]).glob("*.tflite")):
        run(found)
