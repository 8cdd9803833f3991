"""Ways to damage a file, each repeatable from one random generator."""

import random
import struct
import zlib

_EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x10000, 0x1000000)


def mutate(content: bytes, rng: random.Random) -> bytes:
    """Returns a damaged copy: one to four of the damages below, most often one."""
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        rng.choice(_DAMAGES)(damaged, rng)
    return bytes(damaged)


def seal(content: bytes) -> bytes:
    """Returns a damaged golden file with a last checksum that fits again, as a forger would."""
    return content[:-4] + struct.pack("<I", zlib.crc32(content[:-4]))


def _place(content: bytearray, rng: random.Random, size: int) -> int:
    # The tables stand at the front and the back; weights in the middle are the least interesting.
    place = rng.choice((rng.random(), rng.random() ** 3, 1 - rng.random() ** 3))
    return max(0, min(int(place * len(content)), len(content) - size))


def _flip_bits(content: bytearray, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 16)):
        if content:
            content[_place(content, rng, 1)] ^= 1 << rng.randrange(8)


def _write_extreme(content: bytearray, rng: random.Random) -> None:
    if len(content) >= 4:
        place = _place(content, rng, 4) & ~3
        struct.pack_into("<I", content, place, rng.choice((*_EXTREMES, len(content), len(content) - place)))


def _nudge_offset(content: bytearray, rng: random.Random) -> None:
    if len(content) >= 4:
        place = _place(content, rng, 4) & ~3
        (value,) = struct.unpack_from("<I", content, place)
        struct.pack_into("<I", content, place, (value + rng.choice((-8, -4, -2, -1, 1, 2, 4, 8, 64))) & 0xFFFFFFFF)


def _truncate(content: bytearray, rng: random.Random) -> None:
    del content[_place(content, rng, 1) :]


def _copy_block(content: bytearray, rng: random.Random) -> None:
    size = min(len(content), rng.choice((4, 8, 16, 64, 256)))
    source, target = _place(content, rng, size), _place(content, rng, size)
    content[target : target + size] = content[source : source + size]


def _insert(content: bytearray, rng: random.Random) -> None:
    place = _place(content, rng, 0)
    content[place:place] = rng.randbytes(rng.choice((1, 2, 4, 32, 1024)))


def _erase(content: bytearray, rng: random.Random) -> None:
    size = rng.choice((1, 4, 16, 128))
    place = _place(content, rng, size)
    content[place : place + size] = bytes([rng.choice((0, 255))]) * len(content[place : place + size])


def _nest(content: bytearray, rng: random.Random) -> None:
    # Deep brackets and long numbers: what JSON readers choke on.
    place = _place(content, rng, 0)
    content[place:place] = rng.choice((b"[", b'{"a":', b"9", b"-", b"\\u", b"1e")) * rng.choice((3, 100, 20000))


_DAMAGES = (_flip_bits, _write_extreme, _nudge_offset, _truncate, _copy_block, _insert, _erase, _nest)
