"""Copies of images as an attacker makes them who has too few: turned, mirrored, stretched, moved, shaded, textured."""

import numpy as np

from tinycerb.datasets.images import digest_arrays, image_fingerprints

_CHUNK = 2048
_TURN = np.deg2rad(20)
_STRETCH, _MOVE = (0.7, 1.3), 0.07
_BRIGHTNESS, _TEXTURE = (0.35, 1.0), 0.35
# Standard deviations, in pixels, of what smooths the noise that becomes texture: from grain to shade.
_GRAINS = (0.3, 0.8, 1.5, 3.0)
_made: dict[tuple[str, int], np.ndarray] = {}


def with_copies(images: np.ndarray, copies: int) -> np.ndarray:
    """Returns images and `copies` varied copies of each, all distinct, uint8 [M, height, width, channels]."""
    if not copies:
        return images
    # A worker computes many cells of one pool.
    key = (digest_arrays(images), copies)
    if key not in _made:
        everything = np.concatenate([images, *(vary(images, copy) for copy in range(copies))])
        _, first = np.unique(image_fingerprints(everything), return_index=True)
        _made.clear()
        _made[key] = everything[np.sort(first)]
    return _made[key]


def vary(images: np.ndarray, seed: int) -> np.ndarray:
    """Returns a copy of each image that a victim may well answer otherwise.

    Args:
        images: uint8 [N, height, width, channels].
        seed: the same seed gives the same copies.

    Returns:
        uint8 [N, height, width, channels], in the same order. A quarter are turned by a further quarter turn.
    """
    rng = np.random.default_rng([seed, 31])
    starts = range(0, len(images), _CHUNK)
    return np.concatenate([_varied(images[at : at + _CHUNK], rng) for at in starts]) if len(images) else images


def _varied(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    placed = _placed(images.astype(np.float32) / 255, rng)
    column = (len(images), 1, 1, 1)
    brightness = rng.uniform(*_BRIGHTNESS, column).astype(np.float32)
    strength = rng.uniform(0, _TEXTURE, column).astype(np.float32)
    shaded = placed * brightness * (1 + strength * _textures(images.shape[:3], rng))
    return np.rint(np.clip(shaded, 0, 1) * 255).astype(np.uint8)


def _placed(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turned, mirrored, stretched and moved; what comes in from beyond the frame is black."""
    from scipy.ndimage import map_coordinates

    count, height, width, channels = images.shape
    angle = rng.uniform(-_TURN, _TURN, count) + np.pi / 2 * (rng.random(count) < 0.25)
    mirror = np.where(rng.random(count) < 0.5, -1.0, 1.0)
    stretch, move = rng.uniform(*_STRETCH, (2, count)), rng.uniform(-_MOVE, _MOVE, (2, count))
    y, x = np.meshgrid(np.linspace(-0.5, 0.5, height), np.linspace(-0.5, 0.5, width), indexing="ij")
    y, x = (part[np.newaxis] - shift[:, np.newaxis, np.newaxis] for part, shift in zip((y, x), move, strict=True))
    cosine, sine, mirror, down, across = (
        part[:, np.newaxis, np.newaxis] for part in (np.cos(angle), np.sin(angle), mirror, *stretch)
    )
    rows = (down * (cosine * y - sine * x) + 0.5) * (height - 1)
    columns = (across * mirror * (sine * y + cosine * x) + 0.5) * (width - 1)
    index = np.broadcast_to(np.arange(count)[:, np.newaxis, np.newaxis], rows.shape)
    layers = [
        map_coordinates(images[..., channel], [index, rows, columns], order=1, mode="constant")
        for channel in range(channels)
    ]
    return np.stack(layers, axis=-1)


def _textures(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Smoothed noise of mean 0 and variance about 1, float32 [N, height, width, 1]."""
    from scipy.ndimage import gaussian_filter

    noise = rng.standard_normal(shape).astype(np.float32)
    grains = rng.integers(0, len(_GRAINS), len(noise))
    for index, grain in enumerate(_GRAINS):
        noise[grains == index] = gaussian_filter(noise[grains == index], (0, grain, grain))
    return (noise / (noise.std(axis=(1, 2), keepdims=True) + 1e-6))[..., np.newaxis]
