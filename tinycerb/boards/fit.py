"""What a model needs of a board's memory, and the refusal of what it does not have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinycerb.boards.board import Board
from tinycerb.boards.device import request_bytes
from tinycerb.converters.c_model.layer import Array, Value
from tinycerb.converters.c_model.model import CModel
from tinycerb.errors import HardwareError, UsageError

# The length of a frame has two bytes.
_LARGEST_ANSWER = 0xFFFF
# In `firmware_stub/application/serve.c`: 8 bytes per layer to count in, and 8 to send.
_BYTES_PER_LAYER = 16


@dataclass(frozen=True)
class Need:
    """Bytes that are needed of a memory, and that are there."""

    memory: str
    needed: int
    there: int


def check_fit(model: CModel, board: Board, golden_images: int) -> None:
    """Refuses before anything is built what cannot fit: code is not counted yet, arrays and buffers are.

    Raises:
        UsageError: an output that the serial protocol cannot carry.
        HardwareError: too little memory.
    """
    if model.answer_bytes > _LARGEST_ANSWER:
        raise UsageError(
            f"the model's output has {model.answer_bytes:,} bytes; the serial protocol carries answers of at most "
            f"{_LARGEST_ANSWER:,}: let the model end in a smaller output"
        )
    buffers = request_bytes(model.image.bytes) + model.output.bytes + model.answer_bytes
    ram = model.arena.total_bytes + buffers + _BYTES_PER_LAYER * len(model.layers)
    flash = arrays_bytes(model) + golden_images * model.image.bytes
    refuse_shortage(board, _needs(flash, ram, board), "at least ")


def check_image(flash_bytes: int, ram_bytes: int, board: Board) -> None:
    """Refuses an image that was linked for a larger board; `ram_bytes` without the stack.

    Raises:
        HardwareError: too little memory.
    """
    refuse_shortage(board, _needs(flash_bytes, ram_bytes, board))


def _needs(flash: int, ram: int, board: Board) -> list[Need]:
    return [
        Need("FLASH", flash, board.flash.bytes),
        Need("RAM", ram + board.stack_bytes, board.ram.bytes),
    ]


def refuse_shortage(board: Board, needs: Sequence[Need], bound: str = "") -> None:
    """Raises HardwareError where a memory is too small, with what is needed and what is there."""
    short = [need for need in needs if need.needed > need.there]
    if short:
        told = " and ".join(
            f"{bound}{need.needed:,} bytes of {need.memory}, of which {need.there:,} are there" for need in short
        )
        raise HardwareError(
            f"the model does not fit {board.name}: it needs {told}; prune it further or take a larger board"
        )


def arrays_bytes(model: CModel) -> int:
    """Bytes of weights, biases, multipliers, shifts and tables; equal ones are stored once."""
    found = {
        (array.values.dtype.name, array.values.tobytes())
        for layer in model.layers
        for array in (*_arrays(layer.parameters), *layer.constants.values())
    }
    return sum(len(content) for _, content in found)


def _arrays(value: Value) -> Iterator[Array]:
    if isinstance(value, Array):
        yield value
    elif not isinstance(value, int | tuple):
        for part in value.values():
            yield from _arrays(part)
