"""Which head answers, as the firmware draws it (`firmware_stub/runtime/select_head.c`)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tinycerb.answers.keyed_selection import SECRET_BYTES, coarse_keyed_heads, keyed_heads
from tinycerb.registry import Registry

_CONSTANT_SEED = 1


@dataclass(frozen=True)
class Device:
    """What one device alone has.

    Attributes:
        rng: stands for its generator of true random numbers.
        secret: 16 bytes.
        constant: a generator of pseudo-random numbers that starts with the same seed at every power-up.
    """

    rng: np.random.Generator
    secret: bytes
    constant: np.random.Generator

    def power_cycled(self) -> "Device":
        """Returns the device after a power cycle: true randomness goes on, a constant seed starts again."""
        return replace(self, constant=np.random.default_rng(_CONSTANT_SEED))


def simulated_device(seed: int) -> Device:
    """Returns a device for evaluations that can be repeated; real ones get their secret when they are flashed."""
    secret = hashlib.sha256(f"secret of device {seed}".encode()).digest()[:SECRET_BYTES]
    return Device(np.random.default_rng(seed), secret, np.random.default_rng(_CONSTANT_SEED))


# (int8 images [N, ...] as the model reads them, heads, device) -> int64 [N], the head of each image
HeadSelection = Callable[[np.ndarray, int, Device], np.ndarray]
HEAD_SELECTIONS: Registry[HeadSelection] = Registry("head selection")


@HEAD_SELECTIONS.register("random")
def random_head(images: np.ndarray, heads: int, device: Device) -> np.ndarray:
    """Draws a head for each image, independently and evenly, as a device with a true random generator does."""
    return device.rng.integers(0, heads, len(images))


@HEAD_SELECTIONS.register("keyed")
def keyed_head(images: np.ndarray, heads: int, device: Device) -> np.ndarray:
    """SipHash of the input under the device's secret: the same image always meets the same head."""
    return keyed_heads(images, heads, device.secret)


@HEAD_SELECTIONS.register("coarse_keyed")
def coarse_keyed_head(images: np.ndarray, heads: int, device: Device) -> np.ndarray:
    """The same over 16 bits that small changes of the input leave alone."""
    return coarse_keyed_heads(images, heads, device.secret)


@HEAD_SELECTIONS.register("fixed")
def first_head(images: np.ndarray, heads: int, device: Device) -> np.ndarray:
    """Always answers with head 0."""
    return np.zeros(len(images), np.int64)


@HEAD_SELECTIONS.register("seeded")
def seeded_head(images: np.ndarray, heads: int, device: Device) -> np.ndarray:
    """A mistake to measure: drawn by a generator whose seed is the same at every power-up.

    Whoever switches the device off and on before a question chooses the head. Only here, on the host: the firmware
    has no such draw.
    """
    return device.constant.integers(0, heads, len(images))
