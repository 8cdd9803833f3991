"""What a model costs on a board, layer by layer, read over the serial protocol."""

import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from converters.c_model.layer import Layer
from converters.model_file import ModelFile
from tinycerb.boards.board import Board
from tinycerb.boards.device import Device
from tinycerb.boards.firmware import build_firmware
from tinycerb.boards.lowered import lowered
from tinycerb.boards.session import flash_and_check
from tinycerb.errors import HardwareError, UsageError


@dataclass(frozen=True)
class Profile:
    """Counts of one question.

    Attributes:
        unit: `instructions` executed in an emulator, `cycles` on a real core.
        draw: of the head.
        inference: of the model.
        answer: from logits to codes.
        layers: of each layer.
    """

    unit: str
    draw: int
    inference: int
    answer: int
    layers: tuple[tuple[Layer, int], ...]


def read_profile(file: ModelFile, board: Board, port: str | None, limit: float) -> Profile:
    """Boots an emulated board with the model; asks a real one, which must run it already.

    Args:
        file: the model.
        board: the board.
        port: serial port of a real board.
        limit: seconds for the emulator to start.

    Raises:
        UsageError: a model that cannot run, or no port.
        HardwareError: anything about the board.
    """
    if board.emulated:
        with tempfile.TemporaryDirectory(prefix="tinycerb-") as private:
            firmware = build_firmware(file, board, Path(private) / "build", "keyed")
            session = flash_and_check(
                firmware, board, secrets.token_bytes(16), "keyed", Path(private), None, limit
            )  # fmt: skip
        counts = (session.draw, session.inference, session.answer, *session.layers)
        return _profile("instructions", counts, firmware.image.model.layers)
    if port is None:
        raise UsageError("give the serial port of the board, for example --port /dev/ttyACM0")
    model = lowered(file, board.kernels, answers=False)
    counts = _ask(port, board, model.hash, len(model.layers))
    if not any(counts):
        raise HardwareError(
            "the board's clock stands still; cores without a cycle counter need ticks = \"systick\" in the board's file"
        )
    return _profile("cycles", counts, model.layers)


def _profile(unit: str, counts: tuple[int, ...], layers: tuple[Layer, ...]) -> Profile:
    draw, inference, answer, *each = counts
    return Profile(unit, draw, inference, answer, tuple(zip(layers, each, strict=True)))


def _ask(port: str, board: Board, expected: bytes, layers: int) -> tuple[int, ...]:
    import serial

    try:
        with serial.Serial(port, board.baud, timeout=0.05, write_timeout=10) as line:
            device = Device(line)
            greeting = device.hello()
            if greeting.hash != expected:
                raise HardwareError(
                    f"the board runs another model: {greeting.hash.hex()[:16]}..., expected {expected.hex()[:16]}...; "
                    "put it there with: tinycerb flash"
                )
            if greeting.layers != layers:
                raise HardwareError(
                    f"the board's image has {greeting.layers} layers, this model's {layers}: it was built by another "
                    "version or with other kernels; put it there again with: tinycerb flash"
                )
            return tuple(int(count) for count in device.profile(layers))
    except (serial.SerialException, OSError) as error:
        raise HardwareError(f"the serial port {port} cannot be used: {error}; check --port and the cable") from error
