"""Sums of losses as text: `cosine_lse+mean_head:0.3`."""

from collections.abc import Sequence

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
