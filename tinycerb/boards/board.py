"""A board as its TOML file describes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from tinycerb.bounded.files import read_text
from tinycerb.bounded.texts import parse_toml
from tinycerb.config.typed_tables import build
from tinycerb.errors import EnvironmentProblem, UsageError, suggest

# Unicorn's SysTick counts instructions: in QEMU's terms, at 2^6 ns each, that is so many per second.
UNICORN_SYSTICK_HZ = 15_625_000
_TICKS = {"systick": "target/ticks.c", "dwt": "target/ticks_dwt.c"}


@dataclass(frozen=True)
class Memory:
    """A range of addresses."""

    origin: int
    bytes: int


@dataclass(frozen=True)
class Board:
    """What a build and a flasher need to know.

    Attributes:
        name: `qemu-m4`, ...; the file's name without `.toml`.
        description: for people.
        core: `cortex-m4`, ...
        kernels: `portable`, `dsp` or `mve`: the folder under `firmware_stub/kernels`.
        flags: of the compiler, for the core.
        flash: where code and constants go.
        ram: where everything else goes.
        stack_bytes: reserved for the stack.
        sources: further files of `firmware_stub/target`: clocks, pins, random generator.
        serial_driver: `cmsdk`, `nrf51`, `pl011` or `stm32`: which `firmware_stub/target/serial_*.c`.
        serial: what the driver is compiled with: `base` (address of its registers), `baud`, `clock`, pins.
        flasher: how an image gets onto it.
        machine: QEMU's name of the machine, empty for real boards.
        systick_hz: clock of SysTick, of an emulator.
        clock_hz: clock of the core, 0 where the file does not say.
        ticks: `systick`, or `dwt` for the cycle counter of real M3, M4, M7, M33 and M55 cores.
        options: whatever else the flasher wants.
    """

    name: str
    description: str
    core: str
    kernels: str
    flags: tuple[str, ...]
    flash: Memory
    ram: Memory
    stack_bytes: int
    sources: tuple[str, ...]
    serial_driver: str
    serial: Mapping[str, int]
    flasher: str
    machine: str
    systick_hz: int
    clock_hz: int
    ticks: str
    options: Mapping[str, Any]

    @property
    def emulated(self) -> bool:
        """Whether its clock counts instructions executed."""
        return self.flasher in ("qemu", "unicorn")

    @property
    def baud(self) -> int:
        """Of the serial line."""
        return self.serial["baud"]

    @property
    def ticks_source(self) -> str:
        """The clock's driver under `firmware_stub`."""
        return _TICKS[self.ticks]


def board_names() -> list[str]:
    """Returns the boards that come with TinyCerb."""
    entries = resources.files("tinycerb.boards").iterdir()
    return sorted(entry.name.removesuffix(".toml") for entry in entries if entry.name.endswith(".toml"))


def load_board(name: str) -> Board:
    """Loads a board by name, or from the path of a TOML file.

    Raises:
        UsageError: unknown board, or a file that lacks something.
        EnvironmentProblem: the file cannot be read.
    """
    if name in board_names():
        text = (resources.files("tinycerb.boards") / f"{name}.toml").read_text()
    elif name.endswith(".toml") and Path(name).exists():
        try:
            text = read_text(Path(name))
        except OSError as error:
            raise EnvironmentProblem(f"cannot read the board {name}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"board {name} is no TOML: it is not UTF-8 text ({error.reason})") from error
    else:
        known = board_names()
        raise UsageError(f"unknown board {name!r}{suggest(name, known)}; known: {', '.join(known)}, or a .toml file")
    try:
        return _board(Path(name).stem, parse_toml(text, f"board {name}"))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"board {name}: {error} is missing or wrong; compare with tinycerb/boards/qemu-m4.toml"
        ) from error


def _board(name: str, table: Mapping[str, Any]) -> Board:
    emulator = table.get("qemu", {})
    serial = dict(table["serial"])
    values = {
        "name": name,
        **{key: table[key] for key in ("description", "core", "kernels", "flags", "flash", "ram", "stack_bytes")},
        "sources": table.get("sources", ()),
        "serial_driver": serial.pop("driver"),
        "serial": {"base": serial.pop("base"), "baud": serial.pop("baud"), **serial},
        "flasher": table["flasher"],
        "machine": emulator.get("machine", ""),
        "systick_hz": emulator.get("systick_hz", UNICORN_SYSTICK_HZ),
        "clock_hz": table.get("clock_hz", emulator.get("systick_hz", 0)),
        "ticks": _known_ticks(table.get("ticks", "systick")),
        "options": table.get(table["flasher"], {}),
    }
    board = build(Board, values, f"board {name}")
    for key, value in board.serial.items():
        if not isinstance(value, int):
            raise UsageError(f"board {name}: serial.{key} is {value!r}; expected a whole number")
    return board


def _known_ticks(name: str) -> str:
    if name not in _TICKS:
        raise UsageError(f"unknown clock {name!r}{suggest(name, _TICKS)}; ticks is one of: {', '.join(_TICKS)}")
    return name
