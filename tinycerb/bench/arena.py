"""Working memory on the device: what TensorFlow Lite Micro's own interpreter allocates for a file."""

import importlib.util
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tinycerb.errors import EnvironmentProblem
from tinycerb.tflite_model import HeadSelectModel

_CHECKED_IMAGES = 20
_ALLOCATION = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")

# Its allocation table goes to the C library's stderr, which only a process of its own can capture.
_CHILD = """
import io
import sys
import numpy as np
from tflite_micro import runtime
frames = np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False)
heads, image_first = int(sys.argv[2]), sys.argv[3] == "image"
model = runtime.Interpreter.from_file(sys.argv[1], arena_size=int(sys.argv[4]))
answers = []
for image in frames:
    for head in range(heads):
        # The interpreter reuses its inputs' memory: both must be written before every invoke.
        inputs = [image[np.newaxis], np.array([head], np.int32)]
        for index, value in enumerate(inputs if image_first else inputs[::-1]):
            model.set_input(value, index)
        model.invoke()
        answers.append(model.get_output(0)[0])
np.save(sys.stdout.buffer, np.array(answers, np.int8))
sys.stdout.flush()
model.print_allocations()
"""


def measure_arena(path: Path, model: HeadSelectModel, images: np.ndarray) -> dict[str, Any] | None:
    """Runs a file in tflite-micro's host interpreter.

    Args:
        path: the `.tflite` file.
        model: the same file under tflite-runtime's reference kernels.
        images: test images, of which a few are compared byte by byte.

    Returns:
        Arena bytes (measured on a 64-bit host with reference kernels: the persistent tail is smaller on a 32-bit
        core) and the number of output bytes that differ from tflite-runtime; None without tflite-micro.

    Raises:
        EnvironmentProblem: tflite-micro cannot run the file.
    """
    if importlib.util.find_spec("tflite_micro") is None:
        return None
    quantized = model.quantize(images[:_CHECKED_IMAGES])
    image_first = model.file.graph_inputs[0] == model.file.inputs["image"]
    order = "image" if image_first else "head"
    arena_limit = 10 * len(model.file.content) + 2**20
    buffer = io.BytesIO()
    np.save(buffer, quantized)
    command = [sys.executable, "-c", _CHILD, str(path), str(model.heads), order, str(arena_limit)]
    child = subprocess.run(command, input=buffer.getvalue(), capture_output=True, check=False)
    messages = child.stderr.decode(errors="replace")
    found = {kind: int(size) for kind, size in _ALLOCATION.findall(messages)}
    if child.returncode != 0 or set(found) != {"total", "head", "tail"}:
        raise EnvironmentProblem(f"tflite-micro cannot run {path}: {messages.strip()[-500:]}")
    answers = np.lib.format.read_array(io.BytesIO(child.stdout), allow_pickle=False)
    expected = model.all_heads(quantized).reshape(answers.shape)
    return {
        "arena_bytes": found["total"],
        "arena_nonpersistent_bytes": found["head"],
        "arena_persistent_bytes": found["tail"],
        "compared_bytes": int(answers.size),
        "differing_bytes": int((answers != expected).sum()),
    }
