"""Runs the measuring image in QEMU or Unicorn and reads what it found.

Counts are instructions executed, exactly repeatable.
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinycerb.advice.install import system_command
from tinycerb.boards.board import UNICORN_SYSTICK_HZ, Board
from tinycerb.boards.build import EMULATOR_PACKAGE, Image
from tinycerb.boards.counts import instructions_from_ticks, layer_counts
from tinycerb.boards.unicorn_machine import Machine
from tinycerb.converters.child_process import die_with_parent
from tinycerb.errors import EnvironmentProblem, HardwareError

_TIME_LIMIT = 600


@dataclass(frozen=True)
class Measurement:
    """What one run of the measuring image gave.

    Attributes:
        logits: int8 [N, heads, output bytes].
        codes: uint8 [N, heads, answer bytes], the answers.
        inference_instructions: int64 [N, heads].
        answer_instructions: int64 [N, heads].
        layer_instructions: one per layer.
        stack_bytes: most stack ever in use.
        hash: the model's SHA-256 as the image holds it.
    """

    logits: np.ndarray
    codes: np.ndarray
    inference_instructions: np.ndarray
    answer_instructions: np.ndarray
    layer_instructions: tuple[int, ...]
    stack_bytes: int
    hash: bytes


def qemu_command(board: Board, elf: Path, *more: str) -> list[str]:
    """Returns the command that boots an image.

    Raises:
        EnvironmentProblem: QEMU is not installed.
    """
    qemu = shutil.which("qemu-system-arm")
    if qemu is None:
        raise EnvironmentProblem(
            f"qemu-system-arm is not installed; install it with: {system_command(EMULATOR_PACKAGE)}"
        )
    return [qemu, "-M", board.machine, "-display", "none", "-monitor", "none", "-kernel", str(elf), *more]


def measure(image: Image, board: Board, images: np.ndarray, shift: int = 6) -> Measurement:
    """Runs every image through every head.

    Args:
        image: built with the application `MEASURE`.
        board: an emulated board.
        images: int8 [N, height, width, channels].
        shift: an instruction takes 2^shift ns of emulated time. Larger is finer, but SysTick's interrupt, some
            instructions of its own, comes every 2^24 ticks: 10 million instructions at 6 and 25 MHz.

    Raises:
        EnvironmentProblem: no QEMU.
        HardwareError: the image crashed or did not come to an end.
    """
    folder = _prepare(image.elf, images)
    command = qemu_command(
        board, image.elf.resolve(), "-serial", "none", "-icount", f"shift={shift},sleep=off",
        "-chardev", "null,id=console", "-semihosting-config", "enable=on,target=native,chardev=console",
    )  # fmt: skip
    run_emulator(command, folder, image.elf)
    return _parse((folder / "output.bin").read_bytes(), image, board, len(images), shift)


def measure_in_unicorn(image: Image, board: Board, images: np.ndarray) -> Measurement:
    """As `measure`, without QEMU: slower, no Cortex-M55.

    Raises:
        EnvironmentProblem: Unicorn is not installed.
        UsageError: it does not have the board's core.
        HardwareError: the image crashed or did not come to an end.
    """
    run_in_unicorn(Machine(image.elf, board.core), images)
    instructions = replace(board, systick_hz=UNICORN_SYSTICK_HZ)
    return _parse((image.elf.parent / "output.bin").read_bytes(), image, instructions, len(images), 6)


def run_in_unicorn(machine: Machine, images: np.ndarray) -> None:
    """Runs a measuring image to its end.

    Args:
        machine: has the image.
        images: int8 [N, height, width, channels].

    Raises:
        HardwareError: the image crashed or did not come to an end.
    """
    served = machine.attach_semihosting(_prepare(machine.elf, images))
    machine.run(_TIME_LIMIT)
    if served.exit_code != 0:
        raise HardwareError(f"{machine.elf} ended with code {served.exit_code} in Unicorn (99: fault)")


def _prepare(elf: Path, images: np.ndarray) -> Path:
    folder = elf.parent
    (folder / "input.bin").write_bytes(np.ascontiguousarray(images).tobytes())
    # What an earlier run left would look like an answer.
    (folder / "output.bin").unlink(missing_ok=True)
    return folder


def run_emulator(command: Sequence[str], folder: Path, elf: Path) -> str:
    """Runs QEMU to the image's own end and returns what was printed.

    Raises:
        HardwareError: another exit code than 0, or the time limit.
    """
    try:
        finished = subprocess.run(
            die_with_parent(command), cwd=folder, capture_output=True, text=True, timeout=_TIME_LIMIT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise HardwareError(f"{elf} did not end within {_TIME_LIMIT} seconds in the emulator") from error
    if finished.returncode != 0:
        raise HardwareError(
            f"{elf} ended with code {finished.returncode} in the emulator (99: fault): {finished.stderr[-500:]}"
        )
    return finished.stdout


def _parse(content: bytes, image: Image, board: Board, count: int, shift: int) -> Measurement:
    model = image.model
    size = model.output.bytes
    record = np.dtype([("logits", np.int8, size), ("codes", np.uint8, model.answer_bytes), ("ticks", "<u8", 2)])
    body = record.itemsize * count * model.heads
    expected = body + 4 + 8 * (len(model.layers) + 1) + 32
    if len(content) != expected:
        raise HardwareError(f"{image.elf} wrote {len(content)} bytes; expected {expected}")
    records = np.frombuffer(content[:body], record).reshape(count, model.heads)
    instructions = instructions_from_ticks(records["ticks"], board, shift)
    ends = instructions_from_ticks(np.frombuffer(content[body + 4 : -32], "<u8"), board, shift)
    return Measurement(
        logits=records["logits"].reshape(count, model.heads, size),
        codes=records["codes"].reshape(count, model.heads, model.answer_bytes),
        inference_instructions=instructions[..., 0],
        answer_instructions=instructions[..., 1],
        layer_instructions=layer_counts(int(instructions[-1, 0, 0]), ends, board),
        stack_bytes=int.from_bytes(content[body : body + 4], "little"),
        hash=content[-32:],
    )
