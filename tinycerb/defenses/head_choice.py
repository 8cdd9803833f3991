"""How a device chooses among heads, where the configuration leaves it open."""

from typing import Any

from tinycerb.answers.selection import HEAD_SELECTIONS
from tinycerb.errors import UsageError
from tinycerb.options import option


def selection_option() -> Any:
    """Declares how the device chooses a head."""
    return option("", "how the device chooses a head", choices=HEAD_SELECTIONS, empty="random, or fixed with one head")


def fitting_selection(selection: str, heads: int, defense: str) -> str:
    """Returns the head selection: the one that is given, or what fits: `random` with several heads, `fixed` with one.

    Args:
        selection: a head selection's name, or "" for what fits.
        heads: number of heads that answer alone.
        defense: the defence's name, for the message.

    Raises:
        UsageError: one head, and a selection that draws.
    """
    if heads == 1 and selection not in ("", "fixed"):
        raise UsageError(f"{defense}.selection is {selection!r} with one head; allowed: fixed, or leave it out")
    return selection or ("random" if heads > 1 else "fixed")
