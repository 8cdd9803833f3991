"""Sums of losses: as text, `cosine_lse+mean_head:0.3`, and as terms of training."""

from collections.abc import Mapping, Sequence

from tinycerb.defenses.base import Batch, LossTerms, TrainingContext
from tinycerb.errors import UsageError, suggest


def parse_mix(text: str, known: Sequence[str], where: str) -> dict[str, float]:
    """Returns the weight of each loss; 1 where none is given.

    Raises:
        UsageError: an unknown or repeated loss, or a weight that is no positive number.
    """
    mix: dict[str, float] = {}
    for part in text.split("+"):
        name, _, weight = part.strip().partition(":")
        if name not in known:
            raise UsageError(f"{where} names {name!r}{suggest(name, known)}; allowed: {', '.join(known)}, joined by +")
        if name in mix:
            raise UsageError(f"{where} names {name!r} twice; give it once, with a weight: {name}:2")
        try:
            mix[name] = float(weight or 1)
        except ValueError:
            mix[name] = -1.0
        if not 0 < mix[name] < 1e6:
            raise UsageError(f"{where} gives {name} the weight {weight!r}; allowed: a positive number")
    return mix


def weighted_terms(mix: Mapping[str, float], context: TrainingContext, heads: int) -> LossTerms:
    """Returns the terms of a mix for one stage of training: each loss times its weight, in the mix's order.

    Args:
        mix: weights by diversity loss.
        context: what the losses may prepare themselves with.
        heads: number of heads.
    """
    from tinycerb.defenses.losses.diversity import DIVERSITY_LOSSES

    losses = [(weight, DIVERSITY_LOSSES[name](context, heads)) for name, weight in mix.items()]

    def terms(batch: Batch):
        return [weight * loss(batch) for weight, loss in losses]

    return terms
