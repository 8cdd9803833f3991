"""Ownership questions: images of the training families that only the owner can draw, a fresh batch for every suspect.

They come from the owner key, and from families that need no image of the owner's: whoever is shown key and model can
draw them again, and a suspect's owner learns nothing of the training data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycerb.datasets.procedural import FAMILIES, NEEDS_IMAGES, generate
from tinycerb.errors import UsageError
from tinycerb.ownership.owner_key import OwnerKey

# Where a clone agrees with its model most, also after it was fine-tuned (docs/ownership.md says how that was measured).
# Glyphs are held out of training: whoever tunes a clone on the training families leaves them alone.
TELLING = ("silhouettes", "strokes", "shades", "blurred_noise")
HELD_OUT = "glyphs"
_FEWEST_TELLING = 3
# Behind a family's name: those of its images about which the model is sure. Independent models differ there otherwise.
SURE = ", sure"
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

    @property
    def at_random(self) -> np.ndarray:
        """Which were not chosen by what the model says to them, bool [N]."""
        return np.array([not name.endswith(SURE) for name in self.families])[self.kinds]

    def part(self, start: int, end: int) -> "Questions":
        """Returns the questions from `start` to before `end`."""
        return Questions(self.batch, self.images[start:end], self.families, self.kinds[start:end])


def question_families(trained_on: Sequence[str]) -> tuple[str, ...]:
    """Returns the families that a model is asked about: the telling ones of its training, and one beside them.

    Where fewer than three of those were trained on, all that need no image of the owner's.

    Raises:
        UsageError: there are none.
    """
    families = tuple(name for name in trained_on if name not in NEEDS_IMAGES)
    if not families:
        usable = ", ".join(sorted(set(FAMILIES) - NEEDS_IMAGES))
        raise UsageError(
            f"the model was trained on {', '.join(trained_on) or 'no families'}, and questions need one of: {usable}"
        )
    telling = tuple(name for name in TELLING if name in families)
    return (*telling, HELD_OUT) if len(telling) >= _FEWEST_TELLING else families


def draw_questions(
    key: OwnerKey,
    batch: int,
    count: int,
    families: Sequence[str],
    image_shape: tuple[int, ...],
    purpose: str = "questions",
) -> Questions:
    """Draws a batch.

    Args:
        key: the owner key.
        batch: its number, 1 or more; 0 for the public.
        count: how many questions; another count has other images, too.
        families: names of families that need no images.
        image_shape: height, width, channels.
        purpose: what they are for; another one has other images.

    Raises:
        UsageError: fewer questions than one, or more than 100,000.
    """
    if not 1 <= count <= MOST_QUESTIONS:
        raise UsageError(f"{count:,} questions; allowed: 1 to {MOST_QUESTIONS:,}")
    families = tuple(families)[:count]
    share = -(-count // len(families))
    nothing = np.zeros((1, *image_shape), np.uint8)
    drawn = [
        generate([family], share, nothing, _seed(key, f"{purpose} {batch} of {count}: {family}")) for family in families
    ]
    images = np.stack(drawn, axis=1).reshape(-1, *image_shape)[:count]
    return Questions(batch, images, families, np.arange(count) % len(families))


def _seed(key: OwnerKey, purpose: str) -> int:
    return sum(word << 32 * place for place, word in enumerate(key.words(purpose)))
