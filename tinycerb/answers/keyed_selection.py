"""Which head answers, drawn from the input under a device's secret: the same draw as the firmware's.

The same input always meets the same head, so whoever repeats a question learns nothing new. SipHash-2-4 is from
Aumasson and Bernstein (2012); the draw without bias from Lemire (2019).
"""

import itertools

import numpy as np

REGIONS = 16
SECRET_BYTES = 16


def siphash(key: bytes, messages: np.ndarray) -> np.ndarray:
    """Hashes messages of one length with SipHash-2-4.

    Args:
        key: 16 bytes.
        messages: uint8 or int8 [N, bytes].

    Returns:
        uint64 [N].

    Raises:
        ValueError: a key of another length.
    """
    if len(key) != SECRET_BYTES:
        raise ValueError(f"the key has {len(key)} bytes; expected {SECRET_BYTES}")
    count, length = messages.shape
    padded = np.zeros((count, length // 8 * 8 + 8), np.uint8)
    padded[:, :length] = np.ascontiguousarray(messages).view(np.uint8)
    padded[:, -1] = length & 0xFF
    low, high = np.frombuffer(key, "<u8")
    start = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    v = [np.full(count, word ^ int(half), np.uint64) for word, half in zip(start, (low, high, low, high), strict=True)]
    for word in padded.view("<u8").T:
        v[3] = v[3] ^ word
        v = _rounds(v, 2)
        v[0] = v[0] ^ word
    v[2] = v[2] ^ np.uint64(0xFF)
    v = _rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def keyed_heads(images: np.ndarray, heads: int, secret: bytes) -> np.ndarray:
    """Returns the head, int64 [N], that a device with `secret` answers int8 images [N, ...] with."""
    return _draw(siphash(secret, images.reshape(len(images), -1)), heads, secret)


def coarse_keyed_heads(images: np.ndarray, heads: int, secret: bytes) -> np.ndarray:
    """The same over `coarse_views`, so that changes of single steps rarely roll the dice again."""
    views = coarse_views(images).astype("<u2").view(np.uint8).reshape(len(images), 2)
    return _draw(siphash(secret, views), heads, secret)


def coarse_views(images: np.ndarray) -> np.ndarray:
    """Returns uint16 [N]: for each sixteenth of the input one bit, whether it is brighter than the whole."""
    flat = images.reshape(len(images), -1).astype(np.int64)
    edges = np.arange(REGIONS + 1) * flat.shape[1] // REGIONS
    sums = np.stack([flat[:, a:b].sum(axis=1) for a, b in itertools.pairwise(edges)], axis=1)
    brighter = sums * flat.shape[1] > flat.sum(axis=1, keepdims=True) * np.diff(edges)
    return (brighter << np.arange(REGIONS)).sum(axis=1).astype(np.uint16)


def _rounds(v: list[np.ndarray], count: int) -> list[np.ndarray]:
    a, b, c, d = v
    for _ in range(count):
        a, c = a + b, c + d
        b, d = _rotate(b, 13) ^ a, _rotate(d, 16) ^ c
        a = _rotate(a, 32)
        c, a = c + b, a + d
        b, d = _rotate(b, 17) ^ c, _rotate(d, 21) ^ a
        c = _rotate(c, 32)
    return [a, b, c, d]


def _rotate(words: np.ndarray, bits: int) -> np.ndarray:
    return words << np.uint64(bits) | words >> np.uint64(64 - bits)


def _draw(digests: np.ndarray, heads: int, secret: bytes) -> np.ndarray:
    """Lemire's draw from the digests' 32-bit words, low word first; hashes again where both are refused."""
    unfair = 2**32 % heads
    chosen = np.full(len(digests), -1, np.int64)
    while (open_ := chosen < 0).any():
        for half in (0, 32):
            product = (digests >> np.uint64(half) & np.uint64(0xFFFFFFFF)) * np.uint64(heads)
            fair = (product & np.uint64(0xFFFFFFFF)) >= unfair
            chosen = np.where((chosen < 0) & fair, (product >> np.uint64(32)).astype(np.int64), chosen)
        digests = np.where(open_, siphash(secret, digests.astype("<u8").view(np.uint8).reshape(-1, 8)), digests)
    return chosen
