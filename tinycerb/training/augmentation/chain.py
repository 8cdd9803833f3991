"""Several augmentations, one behind the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinycerb.errors import UsageError
from tinycerb.options import parse_part, split_parts
from tinycerb.training.augmentation.base import AUGMENTATIONS, Augmentation

if TYPE_CHECKING:
    import tensorflow as tf


def parse_augmentation(text: str) -> tuple[Augmentation, ...]:
    """Reads `flip+shift,pixels=4`; an empty text is none.

    Raises:
        UsageError: an unknown name or option, a value out of range, or parts for different kinds of data.
    """
    parts = split_parts(text, AUGMENTATIONS) if text else []
    chain = []
    for part in parts:
        name, values = parse_part(part, AUGMENTATIONS)
        chain.append(AUGMENTATIONS[name](**values))
    kinds = sorted({each.data for each in chain})
    if len(kinds) > 1:
        fitting = "; ".join(f"{kind}: {', '.join(_made_for(kind))}" for kind in kinds)
        raise UsageError(f"augmentation {text!r} is for {' and for '.join(kinds)}; allowed: of one kind ({fitting})")
    return tuple(chain)


def _made_for(data: str) -> list[str]:
    return [name for name in AUGMENTATIONS if AUGMENTATIONS[name].data == data]


def augment(chain: Sequence[Augmentation], images: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Returns images as the augmentations change them, in their order.

    Args:
        chain: the augmentations.
        images: float32 [N, height, width, channels] in 0..1.
        draw: int32 [2], seeds the random numbers.
    """
    import tensorflow as tf

    if not chain:
        return images
    uniform = tf.random.stateless_uniform(tf.stack([tf.shape(images)[0], sum(each.draws for each in chain)]), draw)
    start = 0
    for each in chain:
        images = tf.ensure_shape(each(images, uniform[:, start : start + each.draws]), images.shape)
        start += each.draws
    return images
