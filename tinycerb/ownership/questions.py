"""Ownership questions: images of the training families that only the owner can draw, a fresh batch for every suspect.

They come from the owner key alone, and from families that need no image of the owner's: whoever is shown the key can
draw them again, and a suspect's owner learns nothing of the training data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycerb.datasets.procedural import FAMILIES, generate
from tinycerb.errors import UsageError
from tinycerb.ownership.owner_key import OwnerKey

# Families that rearrange training images.
NEEDS_IMAGES = frozenset({"patch_shuffle", "inversions", "rotations", "drifts", "warps"})
MOST_QUESTIONS = 100_000


@dataclass(frozen=True)
class Questions:
    """A batch of questions.

    Attributes:
        batch: its number; another one has other images.
        images: uint8 [N, height, width, channels].
        families: names of the families.
        kinds: which of them each image is of, int64 [N]; the families take turns, so that every beginning of a batch
            has about as many of each.
    """

    batch: int
    images: np.ndarray
    families: tuple[str, ...]
    kinds: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def part(self, start: int, end: int) -> "Questions":
        """Returns the questions from `start` to before `end`."""
        return Questions(self.batch, self.images[start:end], self.families, self.kinds[start:end])


def question_families(trained_on: Sequence[str]) -> tuple[str, ...]:
    """Returns those families of a training that need no image of the owner's.

    Raises:
        UsageError: there are none.
    """
    families = tuple(name for name in trained_on if name not in NEEDS_IMAGES)
    if not families:
        usable = ", ".join(sorted(set(FAMILIES) - NEEDS_IMAGES))
        raise UsageError(
            f"the model was trained on {', '.join(trained_on) or 'no families'}, and questions need one of: {usable}"
        )
    return families


def draw_questions(
    key: OwnerKey, batch: int, count: int, families: Sequence[str], image_shape: tuple[int, ...]
) -> Questions:
    """Draws a batch.

    Args:
        key: the owner key.
        batch: its number, 1 or more; 0 for the public.
        count: how many questions; another count has other images, too.
        families: names of families that need no images.
        image_shape: height, width, channels.

    Raises:
        UsageError: fewer questions than one, or more than 100,000.
    """
    if not 1 <= count <= MOST_QUESTIONS:
        raise UsageError(f"{count:,} questions; allowed: 1 to {MOST_QUESTIONS:,}")
    families = tuple(families)[:count]
    share = -(-count // len(families))
    nothing = np.zeros((1, *image_shape), np.uint8)
    drawn = [
        generate([family], share, nothing, _seed(key, f"questions {batch} of {count}: {family}")) for family in families
    ]
    images = np.stack(drawn, axis=1).reshape(-1, *image_shape)[:count]
    return Questions(batch, images, families, np.arange(count) % len(families))


def _seed(key: OwnerKey, purpose: str) -> int:
    return sum(word << 32 * place for place, word in enumerate(key.words(purpose)))
