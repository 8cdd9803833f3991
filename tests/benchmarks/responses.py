"""What responses cost, on the host and on an emulated Cortex-M4: `make bench-responses`.

Flash and instructions are what a response adds to the undefended answer. Host figures are posteriors per second of
processor time, ten classes, one core, the best of several rounds; the rows that no device runs have host figures alone.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.answers.posteriors import random_codes
from tests.firmware.answer_model import answer_model
from tinycerb.answers.responses import parse_response, respond
from tinycerb.answers.responses.building_blocks.redirection import redirect
from tinycerb.boards.board import load_board
from tinycerb.boards.build import build_image
from tinycerb.boards.emulator import measure

BAR = 200_000
DEPLOYABLE = (
    "top1", "rounding", "rounding,decimals=1", "rs", "dcp", "mad", "mad,surrogate=dirichlet", "modelguard_w", "ntm",
    "dcp+rounding",
)  # fmt: skip
HOST_ONLY = {"mad,oracle=argmax_preserving": 500, "modelguard_s": 20_000}
_CLASSES = (10, 100)


def posteriors_per_second(answer: Callable[[np.ndarray], object], codes: np.ndarray, rounds: int = 5) -> float:
    """Returns how many rows per second of processor time `answer` takes, in its best round."""
    best = np.inf
    for _ in range(rounds):
        began = time.process_time()
        answer(codes)
        best = min(best, time.process_time() - began)
    return len(codes) / best


def device_cost(text: str, classes: int, folder: Path) -> tuple[int, int]:
    """Returns flash bytes of an image and instructions of its answer."""
    board = load_board("qemu-m4")
    image = build_image(answer_model(classes, text), board, folder / f"{classes}-{text}")
    found = measure(image, board, np.zeros((1, 1, classes), np.int8))
    return image.flash_bytes, int(found.answer_instructions[0, 0])


def main() -> None:
    """Prints the table; exit 1 if a vectorised response is slower than the bar."""
    codes = random_codes(40_000, 10, seed=1)
    lines = [
        "| response | posteriors per second | flash, 10 classes | instructions | flash, 100 classes | instructions |"
    ]
    lines.append("|---|---:|---:|---:|---:|---:|")
    slow = []
    with tempfile.TemporaryDirectory() as folder:
        plain = [device_cost("none", classes, Path(folder)) for classes in _CLASSES]
        lines.append("| undefended answer | | | " + " | | ".join(f"{cost:,}" for _, cost in plain) + " |")
        for text in DEPLOYABLE:
            response = parse_response(text)
            speed = posteriors_per_second(lambda rows, response=response: respond(response, rows), codes)
            slow += [text] if speed < BAR else []
            cells = [f"`{text}`", f"{speed:,.0f}"]
            for classes, before in zip(_CLASSES, plain, strict=True):
                after = device_cost(text, classes, Path(folder))
                cells += [f"+{after[0] - before[0]:,}", f"+{after[1] - before[1]:,}"]
            lines.append(f"| {' | '.join(cells)} |")
    for text, count in HOST_ONLY.items():
        speed = posteriors_per_second(lambda rows, text=text: respond(parse_response(text), rows), codes[:count], 2)
        lines.append(f"| `{text}` | {speed:,.0f} | | | | |")
    directions = np.random.default_rng(1).normal(size=codes.shape)
    speed = posteriors_per_second(lambda rows: redirect(rows, directions, 1), codes)
    lines.append(f"| GRAD^2's `redirect`, directions given | {speed:,.0f} | | | | |")
    sys.stdout.write("\n".join(lines) + "\n")
    if slow:
        raise SystemExit(f"slower than {BAR:,} posteriors per second: {', '.join(slow)}")


if __name__ == "__main__":
    main()
