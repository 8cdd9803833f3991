"""How an image gets onto a board, and where the board is then heard."""

import os
import re
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Protocol, cast

from tinycerb.advice.install import install_command
from tinycerb.boards import probe, uf2_drive, unicorn_machine
from tinycerb.boards.board import Board
from tinycerb.boards.counts import SHIFT
from tinycerb.boards.elf import load_segments
from tinycerb.boards.emulator import qemu_command
from tinycerb.boards.uf2 import to_uf2
from tinycerb.converters.child_process import die_with_parent
from tinycerb.errors import EnvironmentProblem, HardwareError, UsageError
from tinycerb.registry import Registry


class Flasher(Protocol):
    """One way onto a board.

    Attributes:
        needs_file: whether the image must be a file with a name: tools of others may look behind links.
    """

    needs_file: bool

    def command(self, board: Board, elf: Path) -> list[str]:
        """The exact command."""
        ...

    def run(self, board: Board, elf: Path, port: str | None, limit: float) -> AbstractContextManager[str]:
        """Puts the image there; yields the serial port while the board runs."""
        ...


FLASHERS: Registry[Flasher] = Registry("flasher")


class Qemu:
    """Boots the emulator with its serial line on a pseudo-terminal."""

    needs_file = False

    def command(self, board: Board, elf: Path) -> list[str]:
        """Instructions are counted: emulated time runs by them alone."""
        return qemu_command(board, elf, "-serial", "pty", "-icount", f"shift={SHIFT},sleep=off")

    @contextmanager
    def run(self, board: Board, elf: Path, port: str | None, limit: float) -> Iterator[str]:
        """The emulator lives as long as the context."""
        command = die_with_parent(self.command(board, elf))
        emulator = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            yield _pseudo_terminal(emulator, time.monotonic() + limit)
        finally:
            emulator.kill()
            emulator.wait()
            cast(IO[bytes], emulator.stdout).close()


class Unicorn(Qemu):
    """As QEMU, on a machine that has only what pip installs."""

    def command(self, board: Board, elf: Path) -> list[str]:
        """A process of its own: this Python, the module that is the board."""
        if find_spec("unicorn") is None:
            raise EnvironmentProblem(f"unicorn is not installed; install it with: {install_command('unicorn')}")
        module = unicorn_machine.__name__
        return [sys.executable, "-m", module, str(elf), board.core, hex(board.serial["base"])]


def _pseudo_terminal(emulator: subprocess.Popen[bytes], until: float) -> str:
    output = cast(IO[bytes], emulator.stdout)
    printed = b""
    while time.monotonic() < until:
        ready, _, _ = select.select([output], [], [], 0.1)
        if ready:
            content = os.read(output.fileno(), 4096)
            printed += content
            if found := re.search(rb"redirected to (\S+)", printed):
                return found[1].decode()
            if not content:
                break
    raise HardwareError(f"the emulator did not start: {printed.decode(errors='replace').strip() or 'no output'}")


class Command:
    """A command of the user's own: `[command] run = "tool --write {elf}"` in the board's file."""

    needs_file = True

    def command(self, board: Board, elf: Path) -> list[str]:
        """Fills in {elf}."""
        template = board.options.get("run")
        if not template:
            raise UsageError(f'board {board.name} has no flash command; add [command] run = "tool {{elf}}" to its file')
        return [part.replace("{elf}", str(elf)) for part in shlex.split(template)]

    @contextmanager
    def run(self, board: Board, elf: Path, port: str | None, limit: float) -> Iterator[str]:
        """Runs it within the time limit; the port is the user's to name."""
        port = _named(port)
        _run_tool(self.command(board, elf), limit)
        yield port


class PyOcd:
    """pyOCD: `[pyocd] target = "nrf52840"` in the board's file. Looks at image and chip before it writes."""

    needs_file = True

    def command(self, board: Board, elf: Path) -> list[str]:
        """Also holds the image against the chip's memory map."""
        target = board.options.get("target")
        if not target:
            raise UsageError(f'board {board.name} has no pyOCD target; add [pyocd] target = "nrf52840" to its file')
        probe.check_memory(board, target, load_segments(elf))
        return probe.load_command(target, elf)

    @contextmanager
    def run(self, board: Board, elf: Path, port: str | None, limit: float) -> Iterator[str]:
        """Two calls of pyOCD share the time limit."""
        until = time.monotonic() + limit
        load = self.command(board, elf)
        port = _named(port)
        probe.check_core(_run_tool(probe.core_command(board.options["target"]), limit), board)
        _run_tool(load, max(until - time.monotonic(), 0.1))
        yield port


class Uf2:
    """A drive that takes UF2 files: `[uf2] family = ..., board_id = "..."` in the board's file; `drive` names it."""

    needs_file = False

    def command(self, board: Board, elf: Path) -> list[str]:
        """Writes the UF2 file beside the image, which has no secret yet."""
        drive = board.options.get("drive") or f"<drive of {_option(board, 'board_id')}>"
        path = elf.with_suffix(".uf2")
        path.write_bytes(_uf2(board, elf))
        return ["cp", str(path), str(Path(drive) / uf2_drive.IMAGE)]

    @contextmanager
    def run(self, board: Board, elf: Path, port: str | None, limit: float) -> Iterator[str]:
        """The board starts by itself once it has the last block."""
        port = _named(port)
        drive = uf2_drive.find_drive(_option(board, "board_id"), board.options.get("drive"))
        uf2_drive.write_to_drive(_uf2(board, elf), drive, limit)
        yield port


def _uf2(board: Board, elf: Path) -> bytes:
    return to_uf2(load_segments(elf), _option(board, "family"))


def _option(board: Board, name: str) -> Any:
    if name not in board.options:
        raise UsageError(f"board {board.name} has no {name}; compare with tinycerb/boards/raspberry-pi-pico.toml")
    return board.options[name]


def _named(port: str | None) -> str:
    if port is None:
        raise UsageError("give the serial port of the board, for example --port /dev/ttyACM0")
    return port


def _run_tool(command: list[str], limit: float) -> str:
    told = shlex.join(command)
    try:
        finished = subprocess.run(
            die_with_parent(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except FileNotFoundError as error:
        raise HardwareError(f"{command[0]} is not installed; it was to run: {told}") from error
    except subprocess.TimeoutExpired as error:
        raise HardwareError(f"no end within {limit:g} seconds: {told}") from error
    if probe.NO_PROBE.search(finished.stdout + finished.stderr):
        raise HardwareError(f"no debug probe is connected, or this user may not open it: {told}")
    if finished.returncode != 0:
        last = (finished.stderr.strip() or finished.stdout.strip() or "no message")[-500:]
        raise HardwareError(f"flashing failed with code {finished.returncode}: {told}\n{last}")
    return finished.stdout


FLASHERS.register("qemu")(Qemu())
FLASHERS.register("unicorn")(Unicorn())
FLASHERS.register("command")(Command())
FLASHERS.register("pyocd")(PyOcd())
FLASHERS.register("uf2")(Uf2())
