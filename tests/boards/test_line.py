"""What is said about a line depends on what is behind it: an emulator has no cable."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.boards.conftest import Terminal
from tinycerb.boards.board import Board, load_board
from tinycerb.boards.device import Device
from tinycerb.boards.line import open_device
from tinycerb.errors import HardwareError

EMULATED = load_board("qemu-m4")
REAL = replace(EMULATED, name="mine", flasher="command", machine="")
IMAGE = np.zeros(4096, np.int8)


def hello(device: Device) -> None:
    device.hello()


def ask(device: Device) -> None:
    device.ask(IMAGE, 3)


def error(board: Board, terminal: Terminal, talk: Callable[[Device], None]) -> str:
    with pytest.raises(HardwareError) as caught, open_device(terminal.name, board, 1.0) as device:
        talk(device)
    assert caught.value.exit_code == 4
    return str(caught.value)


def test_a_silent_emulator_is_given_longer(terminal: Terminal) -> None:
    told = error(EMULATED, terminal, hello)
    assert told.startswith("the device is silent within 4 attempts of 0.25 seconds; this computer may be busy")
    assert "--time-limit" in told
    assert "cable" not in told
    assert "check the cable" in error(REAL, terminal, hello)


def test_a_line_that_takes_nothing_is_told(terminal: Terminal) -> None:
    """Nobody reads: the terminal holds 4 KB, the second attempt does not get in."""
    told = error(EMULATED, terminal, ask)
    assert "qemu-m4 took no more bytes within 0.963 seconds; this computer may be busy" in told
    assert "cable" not in told


def test_a_real_line_that_takes_nothing_is_told(terminal: Terminal) -> None:
    told = error(REAL, terminal, ask)
    assert "mine took no more bytes within 0.963 seconds; check the cable, or give it longer with --time-limit" in told


def test_the_time_of_a_request_grows_with_it_and_falls_with_the_speed(terminal: Terminal) -> None:
    slow = replace(REAL, serial={**REAL.serial, "baud": 38400})
    assert "took no more bytes within 2.39 seconds" in error(slow, terminal, ask)


@pytest.mark.parametrize(("board", "told"), [(EMULATED, "emulator of qemu-m4 broke off"), (REAL, "check the cable")])
def test_a_line_that_breaks_off_is_told(terminal: Terminal, board: Board, told: str) -> None:
    def cut(device: Device) -> None:
        terminal.cut()
        device.hello()

    message = error(board, terminal, cut)
    assert told in message
    assert ("cable" in message) == (board is REAL)
