"""Families that rearrange the victim's own training images until they show nothing of its task."""

import numpy as np

from tinycerb.datasets.procedural.registry import FAMILIES


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


@FAMILIES.register("inversions")
def inversions(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Negatives: bright becomes dark. Where data come with both polarities, leave this family out."""
    chosen = train_images[rng.integers(0, len(train_images), count)].astype(np.float32) / 255
    strength = rng.uniform(0.7, 1, (count, 1, 1, 1)).astype(np.float32)
    return (1 - chosen) * strength


@FAMILIES.register("rotations")
def rotations(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Quarter turns and half turns, laid over another image that was turned too: familiar parts, no object."""
    shape = train_images.shape[1:]
    layers = []
    for _ in range(2):
        chosen = train_images[rng.integers(0, len(train_images), count)].astype(np.float32) / 255
        layers.append(
            np.stack(
                [
                    _turned(image, int(turn), shape)
                    for image, turn in zip(chosen, rng.integers(1, 4, count), strict=True)
                ]
            )
        )
    return np.maximum(layers[0], layers[1])


def _turned(image: np.ndarray, quarters: int, shape: tuple[int, ...]) -> np.ndarray:
    """A turned image in the old frame: oblong frames take the middle, and repeat what lies beyond the edge."""
    turned = np.rot90(image, quarters)
    rows = (np.arange(shape[0]) - shape[0] // 2 + turned.shape[0] // 2) % turned.shape[0]
    columns = (np.arange(shape[1]) - shape[1] // 2 + turned.shape[1] // 2) % turned.shape[1]
    return turned[rows][:, columns]
