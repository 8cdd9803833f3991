"""What a linked image puts where, and the one change that flashing makes to it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from tinycerb.errors import UsageError


@dataclass(frozen=True)
class Segment:
    """Bytes for a range of addresses."""

    address: int
    content: bytes

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + len(self.content)


def load_segments(elf: Path) -> list[Segment]:
    """Returns what is to be written to the board, by address.

    Raises:
        UsageError: no readable ELF file.
    """
    return sorted(
        (Segment(part["p_paddr"], part.data()) for part in _open(elf).iter_segments("PT_LOAD") if part["p_filesz"] > 0),
        key=lambda segment: segment.address,
    )


def memory_use(elf: Path) -> tuple[int, int]:
    """Returns bytes of flash (code, constants, initial values) and of RAM (variables, without the stack)."""
    file = _open(elf)
    flash = sum(len(segment.content) for segment in load_segments(elf))
    ram = sum(part["sh_size"] for name in (".data", ".bss") if (part := file.get_section_by_name(name)) is not None)
    return flash, ram


def function_addresses(elf: Path, names: Sequence[str]) -> list[int]:
    """Returns where functions begin.

    Raises:
        UsageError: the image has no such function.
    """
    table = _open(elf).get_section_by_name(".symtab")
    symbols = table.iter_symbols() if isinstance(table, SymbolTableSection) else ()
    found = {symbol.name: symbol["st_value"] & ~1 for symbol in symbols}
    if missing := [name for name in names if name not in found]:
        raise UsageError(f"{elf} has no function {missing[0]}: build it with TinyCerb")
    return [found[name] for name in names]


def with_section(elf: Path, name: str, content: bytes) -> bytes:
    """Returns the file with the content of one section replaced.

    Raises:
        UsageError: no such section, or one of another size.
    """
    section = _open(elf).get_section_by_name(name)
    if section is None or section["sh_size"] != len(content):
        size = "no" if section is None else section["sh_size"]
        raise UsageError(f"{elf} has {size} bytes of section {name}; expected {len(content)}: build it with TinyCerb")
    whole = elf.read_bytes()
    start = section["sh_offset"]
    return whole[:start] + content + whole[start + len(content) :]


def _open(elf: Path) -> ELFFile:
    try:
        return ELFFile(io.BytesIO(elf.read_bytes()))
    except (OSError, ELFError) as error:
        raise UsageError(f"cannot read the image {elf}: {error}") from error
