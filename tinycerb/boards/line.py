"""The serial line to a board: opened, given time by what goes over it, its faults told by what is behind it."""

from collections.abc import Iterator
from contextlib import contextmanager

from tinycerb.boards.board import Board
from tinycerb.boards.device import ATTEMPTS, LARGEST_REQUEST, Device
from tinycerb.errors import HardwareError

_POLL_SECONDS = 0.05
# Start and stop bit included.
_BITS_PER_BYTE = 10
_LONGER = "this computer may be busy with other things: give the emulator longer with --time-limit"


@contextmanager
def open_device(port: str, board: Board, limit: float) -> Iterator[Device]:
    """Opens the line to a board that runs the firmware.

    Args:
        port: its serial port.
        board: the board.
        limit: seconds that it may be silent, over all attempts; the time of a request on the line comes on top.

    Raises:
        HardwareError: the port cannot be opened, or the line broke off.
    """
    import serial

    patience, seconds_per_byte = limit / ATTEMPTS, _BITS_PER_BYTE / board.baud
    # A request, and as many bytes before it where it is repeated.
    writing = patience + 2 * LARGEST_REQUEST * seconds_per_byte
    try:
        line = serial.Serial(port, board.baud, timeout=_POLL_SECONDS, write_timeout=writing)
    except (serial.SerialException, OSError) as error:
        raise HardwareError(f"cannot open the serial port {port}: {error}; name another with --port") from error
    try:
        with line:
            advice = _LONGER if board.emulated else None
            yield Device(line, patience, advice=advice, seconds_per_byte=seconds_per_byte)
    except serial.SerialTimeoutException as error:
        advice = _LONGER if board.emulated else "check the cable, or give it longer with --time-limit"
        raise HardwareError(f"{board.name} took no more bytes within {writing:.3g} seconds; {advice}") from error
    except (serial.SerialException, OSError) as error:
        if board.emulated:
            raise HardwareError(f"the emulator of {board.name} broke off: {error}; start it again") from error
        raise HardwareError(f"the serial port {port} broke off: {error}; check the cable") from error
