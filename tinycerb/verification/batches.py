"""A batch of questions about a model: half of them as they are drawn, half those about which the model is sure.

Where a model hesitates, its clones learn little. The first half is for the test by the secret, whose rank is exact for
questions that were not chosen by what the model says; the second half is where independent models and clones differ
most.
"""

import numpy as np

from tinycerb.ownership.owner import Owner
from tinycerb.ownership.questions import MOST_QUESTIONS, SURE, Questions, draw_questions
from tinycerb.verification.owned_model import OwnedModel

# So many are drawn for one that is kept, fewer where they would fill the memory.
_CANDIDATES, _MOST_BYTES = 10, 100_000_000


def batch_of(model: OwnedModel, owner: Owner, batch: int, count: int) -> Questions:
    """Draws a batch again or for the first time; key, model, number and count decide.

    Args:
        model: whose margins choose.
        owner: whose key draws.
        batch: its number, 1 or more; 0 for the public.
        count: how many questions.

    Returns:
        Questions in turn as drawn and sure, the families in turn within both; names of the second kind end in `SURE`.

    Raises:
        UsageError: fewer questions than one, or more than 100,000.
    """
    names, shape = model.families(owner), model.artifact.image_shape
    whole = draw_questions(owner.key, batch, count, names, shape)
    if count == 1:
        return whole
    drawn = whole.part(0, -(-count // 2))
    sure = _sure(model, owner, batch, count // 2, drawn.families)
    images, kinds = np.zeros((count, *shape), np.uint8), np.zeros(count, np.int64)
    images[::2], images[1::2] = drawn.images, sure.images
    kinds[::2], kinds[1::2] = drawn.kinds, sure.kinds + len(drawn.families)
    return Questions(batch, images, (*drawn.families, *(name + SURE for name in drawn.families)), kinds)


def _sure(model: OwnedModel, owner: Owner, batch: int, count: int, families: tuple[str, ...]) -> Questions:
    """Of every family those on which the model is surest, in the order in which they were drawn."""
    shape = model.artifact.image_shape
    of_one = max(1, min(_CANDIDATES, _MOST_BYTES // (count * int(np.prod(shape)))))
    drawn = draw_questions(owner.key, batch, min(of_one * count, MOST_QUESTIONS), families, shape, "candidates")
    margins, kinds = model.margins(drawn.images), np.arange(count) % len(families)
    images = np.zeros((count, *shape), np.uint8)
    for kind in range(len(families)):
        candidates, wanted = np.flatnonzero(drawn.kinds == kind), int((kinds == kind).sum())
        chosen = candidates[np.argsort(-margins[candidates], kind="stable")[:wanted]]
        images[kinds == kind] = drawn.images[np.sort(chosen)]
    return Questions(batch, images, families, kinds)
