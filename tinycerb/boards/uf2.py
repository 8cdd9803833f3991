"""UF2, the format that boards with a drive of their own are flashed by: blocks of 512 bytes, each with its address.

Microsoft's specification: https://github.com/microsoft/uf2
"""

import struct
from collections.abc import Iterable

from tinycerb.boards.elf import Segment

_FIRST, _SECOND, _LAST = 0x0A324655, 0x9E5D5157, 0x0AB16F30
_FAMILY_IS_GIVEN = 0x2000
PAGE = 256


def to_uf2(segments: Iterable[Segment], family: int) -> bytes:
    """Returns a UF2 file; pages that a segment fills in part end in zeros.

    Args:
        segments: what to write where.
        family: the number of the family of chips; a board refuses others.
    """
    pages: dict[int, bytearray] = {}
    for segment in segments:
        for offset, byte in enumerate(segment.content):
            address = segment.address + offset
            pages.setdefault(address - address % PAGE, bytearray(PAGE))[address % PAGE] = byte
    blocks = []
    for number, (address, page) in enumerate(sorted(pages.items())):
        header = (_FIRST, _SECOND, _FAMILY_IS_GIVEN, address, PAGE, number, len(pages), family)
        blocks.append(struct.pack("<8I", *header) + page.ljust(476, b"\0") + struct.pack("<I", _LAST))
    return b"".join(blocks)
