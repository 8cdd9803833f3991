"""What a model costs on a board, layer by layer, read over the serial protocol."""

import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tinycerb.boards.board import Board
from tinycerb.boards.counts import Counts, profile_counts
from tinycerb.boards.cycle_model.estimate import CycleEstimate, estimate_cycles
from tinycerb.boards.firmware import build_firmware
from tinycerb.boards.line import open_device
from tinycerb.boards.lowered import lowered
from tinycerb.boards.session import flash_and_check
from tinycerb.converters.c_model.layer import Layer
from tinycerb.converters.model_file import ModelFile
from tinycerb.errors import HardwareError, UsageError


@dataclass(frozen=True)
class Profile:
    """Counts of one question.

    Attributes:
        unit: `instructions` executed in an emulator, `cycles` on a real core.
        counts: of the question and its layers.
        layers: what is counted in `counts.layers`.
        cycles: what they take, estimated, or why there is no estimate; real boards count cycles themselves.
    """

    unit: str
    counts: Counts
    layers: tuple[Layer, ...]
    cycles: CycleEstimate | str | None = None


def read_profile(file: ModelFile, board: Board, port: str | None, limit: float) -> Profile:
    """Boots an emulated board with the model; asks a real one, which must run it already.

    Args:
        file: the model.
        board: the board.
        port: serial port of a real board.
        limit: seconds for the emulator to start, and for a board to stay silent.

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
            cycles = estimate_cycles(file, board, Path(private) / "counted")
        return Profile("instructions", session.counts, firmware.image.model.layers, cycles)
    if port is None:
        raise UsageError("give the serial port of the board, for example --port /dev/ttyACM0")
    model = lowered(file, board.kernels, answers=False)
    return Profile("cycles", _ask(port, board, model.hash, len(model.layers), limit), model.layers)


def _ask(port: str, board: Board, expected: bytes, layers: int, limit: float) -> Counts:
    with open_device(port, board, limit) as device:
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
        return profile_counts(device.profile(layers), board)
