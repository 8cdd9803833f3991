"""The other side of the oracle: runs the int8 file, chooses the head, applies the answer path, counts.

python -m tinycerb.oracle.server '{"model": "...", "output": "probs", "selection": "random", "seed": 1}'

A frame of images is answered by two: how many images have been asked, and the answers. A single number (an array
without dimensions) is a power cycle; it is echoed.
"""

import io
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np

from tinycerb.advice.diagnosis import diagnose
from tinycerb.answers.outputs import OUTPUTS
from tinycerb.answers.selection import HEAD_SELECTIONS, Device, simulated_device
from tinycerb.errors import EnvironmentProblem, TinyCerbError, UsageError
from tinycerb.oracle import OracleSpec
from tinycerb.oracle.array_pipe import receive_array, send_array
from tinycerb.plugins import load_handed_over
from tinycerb.runtimes.answering import Answers
from tinycerb.runtimes.compiled_model import open_fastest
from tinycerb.runtimes.model_artifact import open_artifact
from tinycerb.runtimes.running_model import RunningModel


def make_answers(spec: OracleSpec, model: RunningModel, device: Device) -> Callable[[np.ndarray], np.ndarray]:
    """Returns the function from uint8 images to float32 answers [N, classes] that `spec` describes, from power-up on.

    Raises:
        UsageError: unknown head selection or output.
    """
    # One for all questions between power-ups: some responses remember what they have answered.
    given = Answers(model.artifact)
    leave = OUTPUTS[spec.output]
    choose = None if spec.selection == "mean" else HEAD_SELECTIONS[spec.selection]

    def answer(images: np.ndarray) -> np.ndarray:
        if images.dtype != np.uint8 or images.shape[1:] != model.artifact.image_shape:
            raise UsageError(
                f"images are {images.dtype} {images.shape}; expected uint8 (N, "
                f"{', '.join(map(str, model.artifact.image_shape))})"
            )
        quantized = model.artifact.quantize(images)
        logits = model.all_heads(quantized)
        if choose is None:
            answers = given.of_all(quantized, logits).mean(axis=1, dtype=np.float64)
        else:
            answers = given.of(quantized, logits, choose(quantized, given.heads, device))
        return (leave(answers) / 256).astype(np.float32)

    return answer


def _check_sealed() -> None:
    if "tensorflow" in sys.modules:
        raise EnvironmentProblem(
            "TensorFlow was loaded into the oracle, which must not see it; look for a .pth file, a sitecustomize.py or "
            "a package of this environment that imports it when Python starts"
        )


def main() -> None:
    """Answers frames from standard input until it closes."""
    spec = OracleSpec(**json.loads(sys.argv[1]))
    # Whatever else prints must not end up between the frames.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests = cast(io.BufferedReader, sys.stdin.buffer)
    try:
        load_handed_over()
        model = open_fastest(open_artifact(Path(spec.model)))
        device = simulated_device(spec.seed)
        answer = make_answers(spec, model, device)
        _check_sealed()
        send_array(replies, np.frombuffer(json.dumps(model.engine.facts()).encode(), np.uint8))
        charged = 0
        while requests.peek(1):
            images = receive_array(requests)
            if not images.ndim:
                device = device.power_cycled()
                answer = make_answers(spec, model, device)
                send_array(replies, images)
                continue
            charged += len(images)
            answers = answer(images)
            send_array(replies, np.array(charged))
            send_array(replies, answers)
    except Exception as error:
        if isinstance(error, MemoryError):
            # Asked again, there may be more of it.
            raise
        problem = diagnose(error)
        if not isinstance(error, TinyCerbError):
            traceback.print_exc()
        print(problem, file=sys.stderr)  # noqa: T201
        sys.exit(problem.exit_code)


if __name__ == "__main__":
    main()
