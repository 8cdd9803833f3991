"""The defender's out-of-distribution images: drawn by programs, so that none of them is ever an attacker's.

Coverage matters more than realism: a head pair that disagrees on several unlike families also disagrees on
images that nobody has thought of. Every family works for any image shape.
"""

from collections.abc import Sequence

import numpy as np

from tinycerb.datasets.procedural import (  # noqa: F401  (importing registers families)
    composed,
    drawn,
    photographic,
    rearranged,
    textures,
)
from tinycerb.datasets.procedural.registry import FAMILIES

__all__ = ["FAMILIES", "NEEDS_IMAGES", "generate"]

# Families that are made of training images: nobody draws them who has none.
NEEDS_IMAGES = frozenset(
    {"patch_shuffle", "inversions", "rotations", "drifts", "warps"}
    | {"collages", "jigsaws", "phases", "tilings", "lights", "cut_outs"}
)

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
