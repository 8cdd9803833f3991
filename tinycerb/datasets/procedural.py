"""The defender's out-of-distribution images: drawn by programs, so that none of them is ever an attacker's.

Coverage matters more than realism: a head pair that disagrees on several unlike families also disagrees on
images that nobody has thought of. Every family works for any image shape.
"""

from collections.abc import Callable, Sequence

import numpy as np

from tinycerb.registry import Registry

# (generator, how many, the victim's training images) -> float32 [how many, height, width, channels] in 0..1
Family = Callable[[np.random.Generator, int, np.ndarray], np.ndarray]
FAMILIES: Registry[Family] = Registry("procedural family")

_CHUNK = 512


def generate(families: Sequence[str], count: int, train_images: np.ndarray, seed: int) -> np.ndarray:
    """Draws out-of-distribution images, equal shares of each family, in random order.

    Args:
        families: registered family names.
        count: how many images.
        train_images: the victim's training images, uint8 [N, height, width, channels]; gives the shape, and
            material for families that rearrange it.
        seed: the same seed gives the same images.

    Returns:
        uint8 [count, height, width, channels].

    Raises:
        UsageError: unknown family.
    """
    shares = [count // len(families) + (index < count % len(families)) for index in range(len(families))]
    parts = []
    for index, (name, share) in enumerate(zip(families, shares, strict=True)):
        family = FAMILIES[name]
        rng = np.random.default_rng([seed, index])
        for start in range(0, share, _CHUNK):
            images = family(rng, min(_CHUNK, share - start), train_images)
            parts.append(np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8))
    return np.random.default_rng([seed, len(families)]).permutation(np.concatenate(parts))


def _grid(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Pixel centres in -1..1: vertical and horizontal coordinate, each float32 [height, width]."""
    height, width = shape[1:3]
    vertical = (np.arange(height, dtype=np.float32) + 0.5) / height * 2 - 1
    horizontal = (np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1
    return np.meshgrid(vertical, horizontal, indexing="ij")  # type: ignore[return-value]


def _uniform(rng: np.random.Generator, low: float, high: float, *shape: int) -> np.ndarray:
    return rng.uniform(low, high, shape).astype(np.float32)


def _coverage(inside: np.ndarray, pixel: float) -> np.ndarray:
    """Signed distance to an edge (positive inside) to ink in 0..1, the edge one pixel wide."""
    return np.clip(inside / pixel + 0.5, 0, 1)


def _blob(rng: np.random.Generator, count: int, shape: tuple[int, ...], size: float) -> np.ndarray:
    """One stretched, wavy, star-shaped blob per image: signed distance, float32 [count, height, width]."""
    vertical, horizontal = _grid(shape)
    column = (count, 1, 1)
    y = vertical - _uniform(rng, -0.45, 0.45, *column)
    x = horizontal - _uniform(rng, -0.45, 0.45, *column)
    turn = _uniform(rng, 0, 2 * np.pi, *column)
    stretch = np.exp(_uniform(rng, -0.7, 0.7, *column))
    along = (x * np.cos(turn) + y * np.sin(turn)) * stretch
    across = (y * np.cos(turn) - x * np.sin(turn)) / stretch
    angle = np.arctan2(across, along)
    waves = np.ones(angle.shape, np.float32)
    for harmonic in range(2, 8):
        strength = _uniform(rng, 0, 0.55, *column) / harmonic
        waves += strength * np.cos(harmonic * angle + _uniform(rng, 0, 2 * np.pi, *column))
    radius = _uniform(rng, 0.35 * size, size, *column)
    return radius * waves - np.hypot(along, across)


def _segment(
    rng: np.random.Generator, count: int, shape: tuple[int, ...], thickness: tuple[float, float]
) -> np.ndarray:
    """One straight stroke with round ends per image: signed distance, float32 [count, height, width]."""
    vertical, horizontal = _grid(shape)
    column = (count, 1, 1)
    y0, x0 = _uniform(rng, -0.8, 0.8, *column), _uniform(rng, -0.8, 0.8, *column)
    turn, length = _uniform(rng, 0, 2 * np.pi, *column), _uniform(rng, 0.3, 1.4, *column)
    dy, dx = np.sin(turn) * length, np.cos(turn) * length
    position = ((vertical - y0) * dy + (horizontal - x0) * dx) / (length * length)
    position = np.clip(position, 0, 1)
    distance = np.hypot(vertical - y0 - position * dy, horizontal - x0 - position * dx)
    return _uniform(rng, *thickness, *column) - distance


def _ink(rng: np.random.Generator, mask: np.ndarray, channels: int) -> np.ndarray:
    """Fills masks [count, height, width] with plain or striped ink: float32 [..., channels]."""
    count, height, width = mask.shape
    vertical, horizontal = _grid((count, height, width))
    column = (count, 1, 1)
    turn = _uniform(rng, 0, np.pi, *column)
    phase = (vertical * np.sin(turn) + horizontal * np.cos(turn)) * _uniform(rng, 3, 18, *column)
    depth = _uniform(rng, 0, 0.8, *column) * (rng.random(column) < 0.35)
    shade = 1 - depth * (0.5 + 0.5 * np.sin(phase + _uniform(rng, 0, 2 * np.pi, *column)))
    colour = _uniform(rng, 0.4, 1, count, 1, 1, channels)
    full = rng.random((count, 1, 1, 1)) < 0.5
    return (mask * shade)[..., np.newaxis] * np.where(full, np.float32(1), colour)


@FAMILIES.register("silhouettes")
def silhouettes(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Bright bodies of one to three wavy blobs with up to four limbs on a black ground."""
    shape = (count, *train_images.shape[1:])
    inside = _blob(rng, count, shape, 0.6)
    for _ in range(2):
        part = np.where(rng.random((count, 1, 1)) < 0.5, _blob(rng, count, shape, 0.4), -9)
        inside = np.maximum(inside, part)
    for _ in range(4):
        limb = np.where(rng.random((count, 1, 1)) < 0.5, _segment(rng, count, shape, (0.04, 0.16)), -9)
        inside = np.maximum(inside, limb)
    return _ink(rng, _coverage(inside, 2 / shape[1]), shape[3])


@FAMILIES.register("strokes")
def strokes(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Two to eight thin to thick straight strokes, as in letters and scribbles."""
    shape = (count, *train_images.shape[1:])
    inside = np.full(shape[:3], -9, np.float32)
    how_many = rng.integers(2, 9, (count, 1, 1))
    for index in range(8):
        inside = np.where(index < how_many, np.maximum(inside, _segment(rng, count, shape, (0.02, 0.13))), inside)
    return _ink(rng, _coverage(inside, 2 / shape[1]), shape[3])


@FAMILIES.register("spectral_noise")
def spectral_noise(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Noise with a 1/f^a spectrum, a from 0 (white) to 2.5 (clouds), random contrast and brightness."""
    height, width, channels = train_images.shape[1:]
    white = rng.standard_normal((count, channels, height, width))
    frequency = np.hypot(np.fft.fftfreq(height)[:, np.newaxis], np.fft.fftfreq(width)[np.newaxis, :])
    frequency[0, 0] = 1 / max(height, width)
    slope = rng.uniform(0, 2.5, (count, 1, 1, 1))
    noise = np.fft.ifft2(np.fft.fft2(white) * frequency**-slope).real
    noise -= noise.mean(axis=(1, 2, 3), keepdims=True)
    noise /= noise.std(axis=(1, 2, 3), keepdims=True) + 1e-9
    contrast, brightness = rng.uniform(0.1, 0.6, (count, 1, 1, 1)), rng.uniform(0, 0.8, (count, 1, 1, 1))
    return (noise * contrast + brightness).transpose(0, 2, 3, 1).astype(np.float32)


@FAMILIES.register("patch_shuffle")
def patch_shuffle(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Training images cut into a 4x4 grid of patches that change places.

    Coarser cuts stay too near the data: they teach the heads to disagree on benign images.
    """
    height, width, _ = train_images.shape[1:]
    chosen = train_images[rng.integers(0, len(train_images), count)].astype(np.float32) / 255
    patch_height, patch_width = height // 4, width // 4
    shuffled = chosen.copy()
    order = rng.permuted(np.tile(np.arange(16), (count, 1)), axis=1)
    rows = np.arange(count)
    for place in range(16):
        source = order[:, place]
        y = (source // 4)[:, np.newaxis] * patch_height + np.arange(patch_height)
        x = (source % 4)[:, np.newaxis] * patch_width + np.arange(patch_width)
        patch = chosen[rows[:, np.newaxis, np.newaxis], y[:, :, np.newaxis], x[:, np.newaxis, :]]
        top, left = place // 4 * patch_height, place % 4 * patch_width
        shuffled[:, top : top + patch_height, left : left + patch_width] = patch
    return shuffled
