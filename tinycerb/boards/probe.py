"""A debug probe, through pyOCD: the image checked against the chip's memory map, the chip against the board's file."""

import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinycerb.advice.install import install_command
from tinycerb.boards.board import Board
from tinycerb.boards.elf import Segment
from tinycerb.errors import EnvironmentProblem, HardwareError, UsageError, suggest

NO_PROBE = re.compile(r"no (connected|available) debug probes", re.IGNORECASE)
# CPUID: part number in bits 15 to 4. Arm's technical reference manuals of the cores.
_CPUID = 0xE000ED00
_CORES = {
    0xC20: "cortex-m0", 0xC60: "cortex-m0plus", 0xC23: "cortex-m3", 0xC24: "cortex-m4", 0xC27: "cortex-m7",
    0xD21: "cortex-m33", 0xD22: "cortex-m55",
}  # fmt: skip


@dataclass(frozen=True)
class Range:
    """Addresses from `start` up to but not including `end`."""

    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.start:#010x} to {self.end - 1:#010x}"


def pyocd_command(*arguments: str) -> list[str]:
    """Returns a call of pyOCD.

    Raises:
        EnvironmentProblem: it is not installed.
    """
    beside = Path(sys.executable).with_name("pyocd")
    if shutil.which("pyocd"):
        return ["pyocd", *arguments]
    if beside.exists():
        return [str(beside), *arguments]
    raise EnvironmentProblem(f"pyOCD is not installed; install it with: {install_command('pyocd')}")


def load_command(target: str, elf: Path) -> list[str]:
    """Without -W pyOCD would wait for a probe for ever."""
    return pyocd_command("load", "-W", "-t", target, str(elf))


def core_command(target: str) -> list[str]:
    """Reads which core is there, by attaching: nothing is written."""
    return pyocd_command("cmd", "-W", "-t", target, "-M", "attach", "-c", f"read32 {_CPUID:#x}")


def check_core(printed: str, board: Board) -> None:
    """Refuses a board with another core than its file says.

    Raises:
        HardwareError: another core.
    """
    found = re.search(rf"{_CPUID:x}:\s+([0-9a-f]{{8}})", printed)
    core = _CORES.get(int(found[1], 16) >> 4 & 0xFFF, f"CPUID {found[1]}") if found else "no core that can be read"
    if core != board.core:
        raise HardwareError(
            f"this is another board: {core} is connected, {board.name} has {board.core}; nothing written"
        )


def check_memory(board: Board, target: str, segments: Iterable[Segment]) -> None:
    """Compares an image with the memory map that pyOCD has of a chip; no probe is needed.

    Raises:
        UsageError: a chip that pyOCD does not know.
        HardwareError: the image does not belong on this chip, or does not fit.
    """
    flash, ram = _memory_map(target)
    for segment in segments:
        home = next((part for part in (*flash, *ram) if part.start <= segment.address < part.end), None)
        if home is None:
            told = ", ".join(map(str, flash)) or "none"
            raise HardwareError(
                f"the image is for another board: it puts {len(segment.content):,} bytes at {segment.address:#010x}, "
                f"but the flash of {target} is {told}"
            )
        if segment.end > home.end:
            raise HardwareError(
                f"the image does not fit {target}: it ends {segment.end - home.end:,} bytes behind its flash ({home}); "
                "prune the model further or take a larger board"
            )
    end = board.ram.origin + board.ram.bytes
    if not any(part.start <= board.ram.origin and end <= part.end for part in ram):
        raise HardwareError(
            f"{board.name} says that RAM is {Range(board.ram.origin, end)}, but that of {target} is "
            f"{', '.join(map(str, ram)) or 'none'}"
        )


def _memory_map(target: str) -> tuple[list[Range], list[Range]]:
    try:
        from pyocd.core.memory_map import MemoryType
        from pyocd.target import TARGET
        from pyocd.target.pack.pack_target import ManagedPacks
    except ImportError as error:
        raise EnvironmentProblem(f"pyOCD is not installed; install it with: {install_command('pyocd')}") from error
    if target not in TARGET:
        ManagedPacks.populate_target(target)
    if target not in TARGET:
        raise UsageError(
            f"pyOCD does not know the target {target!r}{suggest(target, TARGET)}; `pyocd list --targets` shows what it "
            f"knows, `pyocd pack install {target}` adds more"
        )
    regions = getattr(TARGET[target], "MEMORY_MAP", ())
    return (
        _merged([(part.start, part.end + 1) for part in regions if part.type is MemoryType.FLASH]),
        _merged([(part.start, part.end + 1) for part in regions if part.type is MemoryType.RAM]),
    )


def _merged(ranges: Sequence[tuple[int, int]]) -> list[Range]:
    """Joins what follows each other: one flash may be told as several regions."""
    joined: list[Range] = []
    for start, end in sorted(ranges):
        if joined and joined[-1].end == start:
            joined[-1] = Range(joined[-1].start, end)
        else:
            joined.append(Range(start, end))
    return joined
