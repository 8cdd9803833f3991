"""Groups of images that belong together: frames of one track, recordings of one speaker, pictures of one burst.

A network recognises what it has seen a moment before. Held out image by image, such data read far too high.
"""

import re
from collections.abc import Sequence

import numpy as np

from tinycerb.errors import UsageError


def held_out_groups(groups: np.ndarray, labels: np.ndarray, wanted: int) -> np.ndarray:
    """Chooses whole groups by a permutation that never changes.

    Args:
        groups: int [N], the group of each image.
        labels: int [N], its class; every one keeps an image that is not held out.
        wanted: how many images to hold out; there are at most so many, unless one group alone has more.

    Returns:
        bool [N], whether an image is held out.

    Raises:
        UsageError: every group is needed for a class that would have no image without it.
    """
    names, members = np.unique(groups, return_inverse=True)
    sizes = np.bincount(members)
    # How many images of each class every group has, and how many there are in all.
    table = np.zeros((len(names), int(labels.max()) + 1), np.int64)
    np.add.at(table, (members, labels), 1)
    left = table.sum(axis=0)
    order = np.random.default_rng(0).permutation(len(names))
    chosen: list[int] = []
    taken = 0
    for most in (wanted, None):
        for group in order:
            fits = most is None or taken + sizes[group] <= most
            if fits and not np.any((table[group] > 0) & (table[group] == left)):
                chosen.append(int(group))
                taken += int(sizes[group])
                left = left - table[group]
                if most is None:
                    break
        if chosen:
            return np.isin(members, chosen)
    raise UsageError(
        f"the data's {len(names)} groups cannot be parted: each holds all images of a class; allowed: two groups or "
        "more in every class, or data without groups"
    )


def groups_of_names(names: Sequence[str], rule: str, where: str) -> np.ndarray:
    """Returns the groups that a rule finds in names of files.

    Args:
        names: paths below the folder, with slashes, class first.
        rule: a regular expression; its first group in parentheses, or else all that it matches, names the group.
        where: what to call the folder in messages.

    Returns:
        int32 [N], numbered from 0.

    Raises:
        UsageError: it is no regular expression, or a name does not match.
    """
    pattern = compile_rule(rule)
    found = []
    for name in names:
        match = pattern.search(name)
        if match is None:
            raise UsageError(
                f"data.groups {rule!r} matches nothing in {name!r} of {where}; allowed: a rule for all files"
            )
        found.append(match.group(1) if pattern.groups else match.group())
    return numbered(np.array(found))


def compile_rule(rule: str) -> re.Pattern[str]:
    """Returns a rule as it is searched with; raises UsageError where it is none."""
    try:
        return re.compile(rule)
    except re.error as error:
        raise UsageError(f"data.groups is {rule!r}, no regular expression: {error}") from error


def as_groups(array: np.ndarray, count: int, where: str) -> np.ndarray:
    """Returns a user's groups as int32 [N], numbered from 0.

    Raises:
        UsageError: neither integers nor texts, or not one per image.
    """
    if array.ndim != 1 or len(array) != count or array.dtype.kind not in "iuU":
        raise UsageError(
            f"{where} is {array.dtype} {array.shape}; allowed: {count} integers or texts, the group of each image"
        )
    return numbered(array)


def numbered(array: np.ndarray) -> np.ndarray:
    """Returns what tells groups apart as numbers from 0, int32 [N]."""
    return np.unique(array, return_inverse=True)[1].astype(np.int32)
