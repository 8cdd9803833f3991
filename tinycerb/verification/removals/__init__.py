"""Removals: what a thief may do to a clone so that it no longer shows whose it is, by name."""

# Importing a removal registers it.
from tinycerb.options import parse_part
from tinycerb.verification.removals import simple, wrk  # noqa: F401
from tinycerb.verification.removals.thief import REMOVALS, WITH_OPTIONS, Removal, Thief, fit, labels_of

__all__ = ["REMOVALS", "Removal", "Thief", "fit", "labels_of", "removal_of"]


def removal_of(text: str) -> Removal:
    """Returns the removal that a text names: `NAME`, or `NAME,key=value,...` of one that has options.

    Raises:
        UsageError: unknown name or option, or a value out of range.
    """
    if "," not in text:
        return REMOVALS[text]
    name, options = parse_part(text, WITH_OPTIONS)
    return WITH_OPTIONS[name](**options)
