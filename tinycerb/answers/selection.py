"""Which head answers, as the firmware draws it (`firmware_stub/runtime/select_head.c`)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinycerb.answers.keyed_selection import SECRET_BYTES, coarse_keyed_heads, keyed_heads
from tinycerb.registry import Registry


@dataclass(frozen=True)
class Device:
    """What one device alone has.

    Attributes:
        rng: stands for its generator of true random numbers.
        secret: 16 bytes.
    """

    rng: np.random.Generator
    secret: bytes


def simulated_device(seed: int) -> Device:
    """Returns a device for evaluations that can be repeated; real ones get their secret when they are flashed."""
    secret = hashlib.sha256(f"secret of device {seed}".encode()).digest()[:SECRET_BYTES]
    return Device(np.random.default_rng(seed), secret)


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
