"""Families that put other pictures together, or bend them: things on a ground, patterns, drifts towards the task."""

import numpy as np

from tinycerb.datasets.procedural.drawn import silhouettes, strokes
from tinycerb.datasets.procedural.registry import FAMILIES, grid, uniform
from tinycerb.datasets.procedural.textures import gratings, spectral_noise
from tinycerb.datasets.variations import vary


@FAMILIES.register("things")
def things(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Textured bodies on a plain or textured ground, bright on dark or dark on bright."""
    body = silhouettes(rng, count, train_images)
    mask = np.clip(body / (body.max(axis=(1, 2, 3), keepdims=True) + 1e-6), 0, 1)
    column = (count, 1, 1, 1)
    textures = np.where(
        rng.random(column) < 0.5, spectral_noise(rng, count, train_images), gratings(rng, count, train_images)
    )
    ground = uniform(rng, 0, 1, *column)
    ground = np.where(rng.random(column) < 0.5, ground, ground * spectral_noise(rng, count, train_images))
    return mask * np.clip(textures, 0, 1) + (1 - mask) * np.clip(ground, 0, 1)


@FAMILIES.register("shades")
def shades(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Bodies and strokes as attackers vary their images: turned, stretched, moved, darkened and textured."""
    bodies = np.where(
        rng.random((count, 1, 1, 1)) < 0.7, silhouettes(rng, count, train_images), strokes(rng, count, train_images)
    )
    bodies = np.rint(np.clip(bodies, 0, 1) * 255).astype(np.uint8)
    return vary(bodies, int(rng.integers(2**31))).astype(np.float32) / 255


@FAMILIES.register("patterns")
def patterns(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Networks of random weights that map a pixel's place to its brightness (compositional patterns: Stanley, 2007)."""
    height, width, channels = train_images.shape[1:]
    vertical, horizontal = grid((count, height, width))
    places = np.stack([vertical, horizontal, np.hypot(vertical, horizontal), np.ones_like(vertical)], axis=-1)
    layer = np.broadcast_to(places.reshape(1, -1, 4), (count, height * width, 4))
    zoom = np.exp(uniform(rng, 0, 1.6, count, 1, 1))
    for index in range(3):
        inputs = layer.shape[2]
        weights = rng.standard_normal((count, inputs, 12)).astype(np.float32) * (zoom if index == 0 else 1.6)
        sums = layer @ weights / np.sqrt(inputs, dtype=np.float32)
        waves = rng.random((count, 1, 12)) < 0.4
        layer = np.where(waves, np.sin(2 * sums), np.tanh(sums))
    picture = layer @ (rng.standard_normal((count, 12, channels)).astype(np.float32) / 2)
    return (1 / (1 + np.exp(-4 * picture))).reshape(count, height, width, channels)


@FAMILIES.register("drifts")
def drifts(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Bodies and noise moved towards a training image, every pixel by the same small step at most.

    Attackers who synthesise (JBDA, data-free ones) move their images towards a class by the sign of a gradient; this
    is such a move without a gradient.
    """
    column = (count, 1, 1, 1)
    start = np.where(
        rng.random(column) < 0.6, silhouettes(rng, count, train_images), spectral_noise(rng, count, train_images)
    )
    start = np.clip(start, 0, 1)
    target = train_images[rng.integers(0, len(train_images), count)].astype(np.float32) / 255
    step = uniform(rng, 0.05, 0.25, *column)
    return start + np.clip(target - start, -step, step)


@FAMILIES.register("warps")
def warps(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Training images under waves so strong that no outline is left: familiar texture, strange shape."""
    height, width, _ = train_images.shape[1:]
    vertical, horizontal = grid((count, height, width))
    column = (count, 1, 1)
    y, x = np.broadcast_to(vertical, (count, height, width)), np.broadcast_to(horizontal, (count, height, width))
    for _ in range(2):
        waves, strength = uniform(rng, 4, 9, 2, *column), uniform(rng, 0.25, 0.5, 2, *column)
        phase = uniform(rng, 0, 2 * np.pi, 2, *column)
        y, x = (
            y + strength[0] * np.sin(waves[0] * x + phase[0]),
            x + strength[1] * np.sin(waves[1] * y + phase[1]),
        )
    rows = np.clip(np.rint((y + 1) / 2 * height - 0.5), 0, height - 1).astype(int)
    columns = np.clip(np.rint((x + 1) / 2 * width - 0.5), 0, width - 1).astype(int)
    chosen = train_images[rng.integers(0, len(train_images), count)].astype(np.float32) / 255
    return chosen[np.arange(count)[:, np.newaxis, np.newaxis], rows, columns]
