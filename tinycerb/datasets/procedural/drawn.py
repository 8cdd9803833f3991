"""Families that draw bright shapes on a dark ground."""

import numpy as np

from tinycerb.datasets.procedural.registry import FAMILIES, grid, uniform


def _coverage(inside: np.ndarray, pixel: float) -> np.ndarray:
    """Signed distance to an edge (positive inside) to ink in 0..1, the edge one pixel wide."""
    return np.clip(inside / pixel + 0.5, 0, 1)


def _blob(rng: np.random.Generator, count: int, shape: tuple[int, ...], size: float) -> np.ndarray:
    """One stretched, wavy, star-shaped blob per image: signed distance, float32 [count, height, width]."""
    vertical, horizontal = grid(shape)
    column = (count, 1, 1)
    y = vertical - uniform(rng, -0.45, 0.45, *column)
    x = horizontal - uniform(rng, -0.45, 0.45, *column)
    turn = uniform(rng, 0, 2 * np.pi, *column)
    stretch = np.exp(uniform(rng, -0.7, 0.7, *column))
    along = (x * np.cos(turn) + y * np.sin(turn)) * stretch
    across = (y * np.cos(turn) - x * np.sin(turn)) / stretch
    angle = np.arctan2(across, along)
    waves = np.ones(angle.shape, np.float32)
    for harmonic in range(2, 8):
        strength = uniform(rng, 0, 0.55, *column) / harmonic
        waves += strength * np.cos(harmonic * angle + uniform(rng, 0, 2 * np.pi, *column))
    radius = uniform(rng, 0.35 * size, size, *column)
    return radius * waves - np.hypot(along, across)


def _segment(
    rng: np.random.Generator, count: int, shape: tuple[int, ...], thickness: tuple[float, float]
) -> np.ndarray:
    """One straight stroke with round ends per image: signed distance, float32 [count, height, width]."""
    vertical, horizontal = grid(shape)
    column = (count, 1, 1)
    y0, x0 = uniform(rng, -0.8, 0.8, *column), uniform(rng, -0.8, 0.8, *column)
    turn, length = uniform(rng, 0, 2 * np.pi, *column), uniform(rng, 0.3, 1.4, *column)
    dy, dx = np.sin(turn) * length, np.cos(turn) * length
    position = ((vertical - y0) * dy + (horizontal - x0) * dx) / (length * length)
    position = np.clip(position, 0, 1)
    distance = np.hypot(vertical - y0 - position * dy, horizontal - x0 - position * dx)
    return uniform(rng, *thickness, *column) - distance


def _ink(rng: np.random.Generator, mask: np.ndarray, channels: int) -> np.ndarray:
    """Fills masks [count, height, width] with plain or striped ink: float32 [..., channels]."""
    count, height, width = mask.shape
    vertical, horizontal = grid((count, height, width))
    column = (count, 1, 1)
    turn = uniform(rng, 0, np.pi, *column)
    phase = (vertical * np.sin(turn) + horizontal * np.cos(turn)) * uniform(rng, 3, 18, *column)
    depth = uniform(rng, 0, 0.8, *column) * (rng.random(column) < 0.35)
    shade = 1 - depth * (0.5 + 0.5 * np.sin(phase + uniform(rng, 0, 2 * np.pi, *column)))
    colour = uniform(rng, 0.4, 1, count, 1, 1, channels)
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


@FAMILIES.register("glyphs")
def glyphs(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Letter-like shapes: arcs and straight strokes of one thickness that meet at the corners of a coarse lattice."""
    shape = (count, *train_images.shape[1:])
    vertical, horizontal = grid(shape)
    column = (count, 1, 1)
    width, size = uniform(rng, 0.05, 0.15, *column), uniform(rng, 0.35, 0.75, *column)
    slant = uniform(rng, -0.35, 0.35, *column)
    x, y = horizontal - slant * vertical, np.broadcast_to(vertical, (count, *vertical.shape))
    inside = np.full(shape[:3], -9, np.float32)
    for index in range(5):
        drawn = (rng.random(column) < 0.75) | (index < 2)
        ends = rng.integers(-1, 2, (4, *column)).astype(np.float32) * size
        dy, dx = ends[2] - ends[0], ends[3] - ends[1]
        along = ((y - ends[0]) * dy + (x - ends[1]) * dx) / (dy * dy + dx * dx + 1e-6)
        along = np.clip(along, 0, 1)
        straight = np.hypot(y - ends[0] - along * dy, x - ends[1] - along * dx)
        # A part of a circle around a lattice point, as in the bowls of letters.
        radius, turn = size * uniform(rng, 0.4, 0.9, *column), uniform(rng, -np.pi, np.pi, *column)
        off = (np.arctan2(y - ends[0] / 2, x - ends[1] / 2) - turn + np.pi) % (2 * np.pi) - np.pi
        arc = np.abs(np.hypot(y - ends[0] / 2, x - ends[1] / 2) - radius) + 9 * (np.abs(off) > 1.9)
        distance = np.where(rng.random(column) < 0.5, straight, arc)
        inside = np.where(drawn, np.maximum(inside, width - distance), inside)
    return _ink(rng, _coverage(inside, 2 / shape[1]), shape[3])
