"""The other side of the oracle: runs the int8 file, chooses the head, applies the answer path, counts.

python -m tinycerb.oracle_child '{"model": "...", "output": "probs", "selection": "random", "seed": 1}'
"""

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np

from tinycerb.answers.normalise import normalise
from tinycerb.answers.responses import Response, parse_response, respond
from tinycerb.answers.selection import HEAD_SELECTIONS, simulated_device
from tinycerb.answers.softmax import softmax_codes
from tinycerb.compiled_model import CompiledModel, open_fastest
from tinycerb.errors import TinyCerbError, UsageError
from tinycerb.head_select_file import HeadSelectFile
from tinycerb.oracle import OracleSpec
from tinycerb.pipes import receive_array, send_array
from tinycerb.tflite_model import HeadSelectModel


def codes_of_heads(model: HeadSelectFile, logits: np.ndarray) -> np.ndarray:
    """Returns every head's posterior before any response, uint8 codes [N, heads, classes], for such int8 logits."""
    codes = [
        # A foreign file may end in SOFTMAX: its int8 outputs are codes already, less 128.
        (logits[:, head].astype(np.int16) + 128).astype(np.uint8)
        if model.ends_in_softmax
        else softmax_codes(logits[:, head], scale)
        for head, scale in enumerate(model.head_scales())
    ]
    return np.stack([normalise(of_head) for of_head in codes], axis=1)


def posteriors_of_heads(model: HeadSelectFile, logits: np.ndarray) -> np.ndarray:
    """Returns the answer of every head: the same after the response that the file's metadata name."""
    return _respond_each(parse_response(model.response), codes_of_heads(model, logits))


def _respond_each(response: Response, codes: np.ndarray) -> np.ndarray:
    return np.stack([respond(response, codes[:, head]) for head in range(codes.shape[1])], axis=1)


def make_answers(spec: OracleSpec, model: CompiledModel | HeadSelectModel) -> Callable[[np.ndarray], np.ndarray]:
    """Returns the function from uint8 images to float32 answers [N, classes] that `spec` describes.

    Raises:
        UsageError: unknown head selection.
    """
    device = simulated_device(spec.seed)
    # One for all questions: some responses remember what they have answered.
    response = parse_response(model.response)
    choose = None if spec.selection == "mean" else HEAD_SELECTIONS[spec.selection]

    def answer(images: np.ndarray) -> np.ndarray:
        if images.dtype != np.uint8 or images.shape[1:] != model.file.inputs["image"].shape[1:]:
            raise UsageError(
                f"images are {images.dtype} {images.shape}; expected uint8 (N, "
                f"{', '.join(map(str, model.file.inputs['image'].shape[1:]))})"
            )
        quantized = model.quantize(images)
        codes = codes_of_heads(model, model.all_heads(quantized))
        if choose is None:
            answers = _respond_each(response, codes).mean(axis=1, dtype=np.float64)
        else:
            answers = respond(response, codes[np.arange(len(codes)), choose(quantized, model.heads, device)])
        if spec.output == "top1":
            answers = np.eye(answers.shape[1])[answers.argmax(axis=1)] * 256
        return (answers / 256).astype(np.float32)

    return answer


def main() -> None:
    """Answers frames from standard input until it closes."""
    spec = OracleSpec(**json.loads(sys.argv[1]))
    # Whatever else prints must not end up between the frames.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests = cast(io.BufferedReader, sys.stdin.buffer)
    try:
        model = open_fastest(Path(spec.model))
        answer = make_answers(spec, model)
        assert "tensorflow" not in sys.modules, "the oracle must not see TensorFlow"
        send_array(replies, np.frombuffer(json.dumps(model.engine.facts()).encode(), np.uint8))
        charged = 0
        while requests.peek(1):
            images = receive_array(requests)
            charged += len(images)
            answers = answer(images)
            send_array(replies, np.array(charged))
            send_array(replies, answers)
    except TinyCerbError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
