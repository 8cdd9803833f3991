"""Ownership questions: the same for the same key for ever, other ones for every batch, and no image of the owner's."""

import hashlib

import numpy as np
import pytest

from tinycerb.datasets.procedural import FAMILIES, NEEDS_IMAGES, generate
from tinycerb.errors import UsageError
from tinycerb.ownership.owner_key import OwnerKey
from tinycerb.ownership.questions import draw_questions, question_families

KEY = OwnerKey(bytes(range(32)))
DIGEST = "3a4e50a3de4ea6ef91cdeda347482ae1fa590d11718288afda3ce366571fb971"
THREE = ("strokes", "gratings", "shades")


def test_families_that_need_images_are_those_that_change_with_them() -> None:
    own, other = (np.random.default_rng(seed).integers(0, 256, (5, 12, 12, 1), dtype=np.uint8) for seed in (1, 2))
    changing = {name for name in FAMILIES if (generate([name], 6, own, 1) != generate([name], 6, other, 1)).any()}
    assert changing == NEEDS_IMAGES
    assert question_families(["patch_shuffle", "strokes", "warps", "things"]) == ("strokes", "things")
    # Where enough of those are there on which clones agree most, they are asked, and one that nobody trained on.
    trained_on = ["gratings", "shades", "strokes", "silhouettes", "warps"]
    assert question_families(trained_on) == ("silhouettes", "strokes", "shades", "glyphs")
    with pytest.raises(UsageError, match=r"trained on warps, and questions need one of: blurred_noise, dead_leaves, "):
        question_families(["warps"])


def test_a_batch_is_the_same_for_ever() -> None:
    drawn = draw_questions(KEY, 1, 20, THREE, (12, 10, 1))
    assert drawn.images.shape == (20, 12, 10, 1)
    assert drawn.images.dtype == np.uint8
    assert drawn.kinds.tolist() == [0, 1, 2] * 6 + [0, 1]
    assert hashlib.sha256(drawn.images.tobytes()).hexdigest() == DIGEST
    part = drawn.part(3, 6)
    assert (part.images == drawn.images[3:6]).all()
    assert part.kinds.tolist() == [0, 1, 2]


def test_no_image_comes_twice() -> None:
    """Neither in another batch, nor of another size, nor from another key."""
    batches = [
        draw_questions(key, batch, count, THREE, (12, 12, 1)).images
        for key, batch, count in ((KEY, 1, 30), (KEY, 2, 30), (KEY, 1, 29), (OwnerKey(bytes(32)), 1, 30))
    ]
    batches.append(draw_questions(KEY, 1, 30, THREE, (12, 12, 1), "candidates").images)
    images = [image.tobytes() for batch in batches for image in batch]
    assert len(set(images)) == len(images) == 149


def test_few_questions_are_of_as_many_families() -> None:
    assert draw_questions(KEY, 1, 2, THREE, (8, 8, 3)).families == ("strokes", "gratings")
    for count in (0, 100_001):
        with pytest.raises(UsageError, match=rf"{count:,} questions; allowed: 1 to 100,000"):
            draw_questions(KEY, 1, count, THREE, (8, 8, 1))
