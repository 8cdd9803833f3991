"""What a source of the user's holds, and what of it nobody uses."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Brought:
    """Arrays from a source, unchecked.

    Attributes:
        arrays: by their names.
        left_out: what is there and not among them, one noun phrase with a count each.
    """

    arrays: Mapping[str, np.ndarray]
    left_out: tuple[str, ...] = ()


def describe_arrays(arrays: Mapping[str, np.ndarray], used: frozenset[str]) -> tuple[str, ...]:
    """Returns what to say of arrays that are not used: no phrase, or one."""
    extra = [f"{name} ({len(np.atleast_1d(array)):,} entries)" for name, array in arrays.items() if name not in used]
    return (f"the arrays {', '.join(extra)}",) if extra else ()
