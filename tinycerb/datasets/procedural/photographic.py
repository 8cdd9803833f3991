"""Families that make pictures near photographs, out of the victim's own training images.

Foreign photographs share colours, light, edges and textures with a task's own. These families keep such statistics and
take away what the task names: the arrangement, the phases, the colours, the object's outline or its ground.
"""

import numpy as np

from tinycerb.datasets.procedural.drawn import silhouettes
from tinycerb.datasets.procedural.registry import FAMILIES, grid, uniform

# From one edge of a picture to the other.
_WHOLE = np.array(2, np.float32)


@FAMILIES.register("collages")
def collages(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Boxes from seven training images over one another, each cut at another scale and turned over at random."""
    height, width, _ = train_images.shape[1:]
    vertical, horizontal = grid((count, height, width))
    column = (count, 1, 1)
    picture = _zoomed(rng, _own(rng, count, train_images), 1.5, 3.0)
    for _ in range(6):
        part = _zoomed(rng, _own(rng, count, train_images), 0.7, 2.5)
        y, x = vertical - uniform(rng, -1, 1, *column), horizontal - uniform(rng, -1, 1, *column)
        inside = (np.abs(y) < uniform(rng, 0.2, 0.6, *column)) & (np.abs(x) < uniform(rng, 0.2, 0.6, *column))
        picture = np.where(inside[..., np.newaxis], part, picture)
    return picture


@FAMILIES.register("jigsaws")
def jigsaws(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Training images in 3x3 to 8x8 pieces that change places, each turned over at random."""
    height, width, _ = train_images.shape[1:]
    chosen, cut = _own(rng, count, train_images), rng.integers(3, 9, count)
    rows, columns = np.empty((count, height, width), np.int64), np.empty((count, height, width), np.int64)
    for index, pieces in enumerate(cut):
        order = rng.permutation(pieces**2).reshape(pieces, pieces)
        flips = rng.random((2, pieces, pieces)) < 0.5
        # The place of a pixel's centre, in pieces and within its piece.
        row, column = (np.arange(height) + 0.5) * pieces / height, (np.arange(width) + 0.5) * pieces / width
        at = np.ix_(row.astype(int), column.astype(int))
        within_row, within_column = (row % 1)[:, np.newaxis], (column % 1)[np.newaxis, :]
        within_row = np.where(flips[0][at], 1 - within_row, within_row)
        within_column = np.where(flips[1][at], 1 - within_column, within_column)
        rows[index] = (order[at] // pieces + within_row) * height / pieces
        columns[index] = (order[at] % pieces + within_column) * width / pieces
    return _pixels(chosen, rows, columns)


@FAMILIES.register("phases")
def phases(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Training images whose spectrum keeps its amplitudes and loses its phases: their texture and no edge.

    All channels are moved by the same phases, so colours stay those of the image (Galerne et al., 2011).
    """
    chosen = _own(rng, count, train_images)
    height, width, _ = train_images.shape[1:]
    spectrum = np.fft.rfft2(chosen, axes=(1, 2))
    noise = np.fft.rfft2(rng.standard_normal((count, height, width)), axes=(1, 2))
    turned = noise / (np.abs(noise) + 1e-9)
    turned[:, 0, 0] = 1
    return np.fft.irfft2(spectrum * turned[..., np.newaxis], s=(height, width), axes=(1, 2)).astype(np.float32)


@FAMILIES.register("tilings")
def tilings(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """A small part of a training image, mirrored at its edges until it fills the picture: its texture everywhere."""
    height, width, _ = train_images.shape[1:]
    vertical, horizontal = grid((count, height, width))
    column = (count, 1, 1)
    turn, zoom = uniform(rng, 0, 2 * np.pi, *column), uniform(rng, 0.5, 1.5, *column)
    y = zoom * (np.cos(turn) * vertical + np.sin(turn) * horizontal)
    x = zoom * (np.cos(turn) * horizontal - np.sin(turn) * vertical)
    side = uniform(rng, 0.25, 0.6, *column)
    top, left = (uniform(rng, 0, 1, *column) * (2 - side) - 1 for _ in range(2))
    return _at(_own(rng, count, train_images), top + _mirrored(y, side), left + _mirrored(x, side))


@FAMILIES.register("lights")
def lights(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Collages in other colours and other light: channels mixed at random, a slope of light, any contrast."""
    picture = collages(rng, count, train_images)
    channels = train_images.shape[3]
    mean = picture.mean(axis=(1, 2, 3), keepdims=True)
    mixer = rng.standard_normal((count, channels, channels)).astype(np.float32)
    mixer /= np.linalg.norm(mixer, axis=2, keepdims=True)
    mixed = np.einsum("nhwc,ndc->nhwd", picture - mean, mixer)
    vertical, horizontal = grid((count, *train_images.shape[1:3]))
    column = (count, 1, 1)
    turn = uniform(rng, 0, 2 * np.pi, *column)
    slope = uniform(rng, 0, 0.4, *column) * (np.cos(turn) * vertical + np.sin(turn) * horizontal)
    contrast = np.exp(uniform(rng, -1, 0.7, count, 1, 1, 1))
    ground = uniform(rng, 0.25, 0.75, count, 1, 1, channels)
    return contrast * mixed + slope[..., np.newaxis] + ground


@FAMILIES.register("cut_outs")
def cut_outs(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """A body cut out of a training image, on a plain ground or another image out of focus: no outline of an object."""
    body = silhouettes(rng, count, train_images).max(axis=3, keepdims=True)
    mask = body > 0.5 * body.max(axis=(1, 2, 3), keepdims=True)
    channels = train_images.shape[3]
    plain = np.broadcast_to(uniform(rng, 0, 1, count, 1, 1, channels), (count, *train_images.shape[1:]))
    blurred = _blurred(_own(rng, count, train_images), uniform(rng, 1.5, 4, count, 1, 1, 1))
    ground = np.where(rng.random((count, 1, 1, 1)) < 0.5, plain, blurred)
    return np.where(mask, _zoomed(rng, _own(rng, count, train_images), 1.0, 2.0), ground)


def _own(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    return train_images[rng.integers(0, len(train_images), count)].astype(np.float32) / 255


def _zoomed(rng: np.random.Generator, pictures: np.ndarray, least: float, most: float) -> np.ndarray:
    """Each picture enlarged (or, below 1, shrunk and mirrored at its edges), moved, and turned over at random."""
    column = (len(pictures), 1, 1)
    vertical, horizontal = grid(pictures.shape[:3])
    zoom = np.exp(uniform(rng, np.log(least), np.log(most), *column))
    room = np.maximum(0, 1 - 1 / zoom)
    y = vertical / zoom * rng.choice((-1, 1), column) + room * uniform(rng, -1, 1, *column)
    x = horizontal / zoom * rng.choice((-1, 1), column) + room * uniform(rng, -1, 1, *column)
    return _at(pictures, y, x)


def _mirrored(places: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Brings places into 0..side, mirrored at both ends."""
    return side - np.abs(places % (2 * side) - side)


def _at(pictures: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Pixels nearest to places in -1..1, mirrored beyond."""
    height, width = pictures.shape[1:3]
    y, x = _mirrored(y + 1, _WHOLE) / 2 * height, _mirrored(x + 1, _WHOLE) / 2 * width
    return _pixels(pictures, y.astype(int), x.astype(int))


def _pixels(pictures: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    height, width = pictures.shape[1:3]
    # Rounding may bring a place at the far edge beyond it.
    rows, columns = np.minimum(rows, height - 1), np.minimum(columns, width - 1)
    return pictures[np.arange(len(pictures))[:, np.newaxis, np.newaxis], rows, columns]


def _blurred(pictures: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Gaussian blur; `width` is its standard deviation in pixels, float32 [N, 1, 1, 1]."""
    size = pictures.shape[1:3]
    distance = np.hypot(np.fft.fftfreq(size[0])[:, np.newaxis], np.fft.rfftfreq(size[1])[np.newaxis, :])
    kept = np.exp(-2 * np.square(np.pi * width * distance[np.newaxis, :, :, np.newaxis]))
    return np.fft.irfft2(np.fft.rfft2(pictures, axes=(1, 2)) * kept, s=size, axes=(1, 2)).astype(np.float32)
