"""Flashing from start to end: put the image there, talk to the board, compare with the golden vectors."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycerb.answers.keyed_selection import coarse_keyed_heads, keyed_heads
from tinycerb.boards.board import Board
from tinycerb.boards.counts import Counts, profile_counts
from tinycerb.boards.device import FRAME_IMAGE_BYTES, Device
from tinycerb.boards.firmware import Firmware, with_secret
from tinycerb.boards.flashers import FLASHERS
from tinycerb.boards.line import open_device
from tinycerb.errors import HardwareError

_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Session:
    """What the board did.

    Attributes:
        vectors: golden vectors that the board ran; none was wrong.
        stack_bytes: most stack ever in use.
        counts: what a question cost.
    """

    vectors: int
    stack_bytes: int
    counts: Counts


# Takes what the board did and its serial port, and returns when the board may end.
Serve = Callable[[Session, str], None]


def flash_and_check(
    firmware: Firmware,
    board: Board,
    secret: bytes,
    selection: str,
    private: Path,
    port: str | None,
    limit: float,
    serve: Serve | None = None,
) -> Session:
    """Flashes an image with the device's secret and checks that the board answers as it must.

    Args:
        firmware: the image.
        board: the board.
        secret: 16 bytes; goes into a copy in memory only.
        selection: how the device draws heads.
        private: a folder for the link to that copy.
        port: serial port of a real board.
        limit: seconds for flashing, for the emulator to start, and for a board to stay silent.
        serve: called once the board has answered as it must and its line is free for others; an emulated one runs
            until it returns.

    Raises:
        HardwareError: anything about the board that is not as it should be.
    """
    flasher = FLASHERS[board.flasher]
    with (
        with_secret(firmware.image, secret, private, flasher.needs_file) as provisioned,
        flasher.run(board, provisioned.elf, port, limit) as serial_port,
    ):
        with open_device(serial_port, board, limit) as device:
            session = _check(device, firmware, board, secret, selection)
        if serve is not None:
            serve(session, serial_port)
        return session


def wait_for_end(board: Board, port: str) -> None:
    """Waits while an emulated board runs; the user ends that.

    Raises:
        HardwareError: the emulator ended by itself.
    """
    while Path(port).exists():
        time.sleep(_LOOK_SECONDS)
    raise HardwareError(f"the emulator of {board.name} ended by itself; start it again")


def _check(device: Device, firmware: Firmware, board: Board, secret: bytes, selection: str) -> Session:
    model = firmware.image.model
    greeting = device.hello()
    if greeting.hash != model.hash:
        raise HardwareError(
            f"the board runs another model: {greeting.hash.hex()[:16]}..., expected {model.hash.hex()[:16]}...; "
            "the image did not get there, flash again"
        )
    if greeting.selection != selection:
        raise HardwareError(f"the image draws heads {greeting.selection}, not {selection}; build it with --selection")
    test = device.self_test()
    if test.wrong or not test.vectors:
        raise HardwareError(f"{test.wrong} of {test.vectors} golden vectors are wrong on the board; do not use it")
    # The board has run them all; what takes long on the line is asked once.
    asked = firmware.golden_images[: 1 if model.image.bytes > FRAME_IMAGE_BYTES else None]
    answers = np.stack([device.ask(image, model.answer_bytes) for image in asked])
    _check_answers(answers, firmware, secret, selection)
    counts = profile_counts(device.profile(len(model.layers)), board)
    return Session(test.vectors, test.stack_bytes, counts)


def _check_answers(answers: np.ndarray, firmware: Firmware, secret: bytes, selection: str) -> None:
    """Every answer must be some head's; of the right head where the draw can be repeated here."""
    heads = firmware.golden_codes.shape[1]
    draws = {"keyed": keyed_heads, "coarse_keyed": coarse_keyed_heads}
    for index, answer in enumerate(answers):
        allowed = range(heads)
        if selection == "fixed":
            allowed = range(1)
        elif selection in draws:
            head = int(draws[selection](firmware.golden_images[index : index + 1], heads, secret)[0])
            allowed = range(head, head + 1)
        if not any((answer == firmware.golden_codes[index, head]).all() for head in allowed):
            raise HardwareError(f"the board's answer to golden image {index} is no answer of the right head")
