"""Golden vectors: images, and the int8 bytes that every head must answer; for self-tests on the host and on the device.

A file is little endian:

    4 bytes     magic `TCGV`
    u16         layout version, 1
    u16         images N
    u16         heads H
    u16         classes D
    u32         bytes per image B
    32 bytes    SHA-256 of the .tflite file
    N times     B bytes of image (int8), H * D bytes of logits (int8, head by head), u32 CRC-32 of those bytes
    u32         CRC-32 of everything before
"""

import struct
import zlib
from dataclasses import dataclass

import numpy as np

_HEADER = struct.Struct("<4sHHHHI32s")
_CRC = struct.Struct("<I")
_MAGIC, _VERSION = b"TCGV", 1
_MOST_BYTES = 64 * 2**20


class GoldenError(ValueError):
    """The bytes are no golden file that can be used."""


@dataclass(frozen=True)
class Golden:
    """Inputs and expected outputs.

    Attributes:
        model_sha256: 32 bytes, of the file that gave the answers.
        images: int8 [N, bytes per image].
        logits: int8 [N, heads, classes].
    """

    model_sha256: bytes
    images: np.ndarray
    logits: np.ndarray


def render_golden(golden: Golden) -> bytes:
    """Returns the file."""
    count, heads, classes = golden.logits.shape
    content = _HEADER.pack(_MAGIC, _VERSION, count, heads, classes, golden.images.shape[1], golden.model_sha256)
    for image, logits in zip(golden.images, golden.logits, strict=True):
        vector = image.astype(np.int8).tobytes() + logits.astype(np.int8).tobytes()
        content += vector + _CRC.pack(zlib.crc32(vector))
    return content + _CRC.pack(zlib.crc32(content))


def parse_golden(content: bytes) -> Golden:
    """Reads a file.

    Raises:
        GoldenError: another format, truncated, or damaged; the message says where.
    """
    if len(content) > _MOST_BYTES:
        raise GoldenError(f"the golden file has {len(content):,} bytes; allowed: up to {_MOST_BYTES:,}")
    if len(content) < _HEADER.size + _CRC.size:
        raise GoldenError(f"the golden file has {len(content)} bytes; its header alone has {_HEADER.size}")
    magic, version, count, heads, classes, image_bytes, digest = _HEADER.unpack_from(content)
    if (magic, version) != (_MAGIC, _VERSION):
        raise GoldenError(f"no golden file of layout {_VERSION}: it begins with {magic!r} and layout {version}")
    vector_bytes = image_bytes + heads * classes
    expected = _HEADER.size + count * (vector_bytes + _CRC.size) + _CRC.size
    if len(content) != expected:
        raise GoldenError(f"the golden file has {len(content):,} bytes; its header promises {expected:,}")
    if _CRC.unpack_from(content, expected - _CRC.size)[0] != zlib.crc32(content[: -_CRC.size]):
        raise GoldenError("the golden file is damaged: its CRC-32 does not fit")
    body = np.frombuffer(content, np.int8, count * (vector_bytes + _CRC.size), _HEADER.size)
    rows = body.reshape(count, vector_bytes + _CRC.size)
    for index, row in enumerate(rows):
        if _CRC.unpack(row[vector_bytes:].tobytes())[0] != zlib.crc32(row[:vector_bytes].tobytes()):
            raise GoldenError(f"vector {index} of the golden file is damaged: its CRC-32 does not fit")
    return Golden(digest, rows[:, :image_bytes], rows[:, image_bytes:vector_bytes].reshape(count, heads, classes))
