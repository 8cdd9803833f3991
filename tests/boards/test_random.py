"""The random generator of Nordic's chips, in the emulated micro:bit."""

from pathlib import Path

import numpy as np
import serial

from tests.conftest import Cli
from tinycerb.boards.board import load_board
from tinycerb.boards.device import Device
from tinycerb.boards.flashers import FLASHERS


def test_the_same_question_meets_several_heads(flash: Cli) -> None:
    built = flash("--board", "qemu-m0", "--selection", "random", "--dry-run")
    assert built.returncode == 0, built.stderr
    board = load_board("qemu-m0")
    elf = Path(built.args[-1]) / "firmware.elf"
    with FLASHERS["qemu"].run(board, elf, None, 30) as port, serial.Serial(port, board.baud, timeout=0.05) as line:
        device = Device(line, patience=20)
        greeting = device.hello()
        image = np.zeros(greeting.input_bytes, np.int8)
        answers = [device.ask(image, greeting.output_bytes).tobytes() for _ in range(30)]
    assert greeting.selection == "random"
    # Three heads; that 30 draws meet one alone has a probability of 3^-29.
    assert len(set(answers)) > 1
