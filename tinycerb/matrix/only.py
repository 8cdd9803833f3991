"""`--only victim=cerberos --only attack=knockoff*`: which cells of a matrix are worked on."""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from tinycerb.errors import UsageError, suggest
from tinycerb.matrix.cells import MatrixCell

_FIELDS: dict[str, Callable[[MatrixCell], str]] = {
    "victim": lambda cell: cell.spec.victim,
    "defense": lambda cell: cell.spec.defense,
    "attack": lambda cell: cell.spec.attack.name,
    "threat": lambda cell: cell.threat,
    "selection": lambda cell: cell.spec.selection,
    "student": lambda cell: cell.spec.student,
    "budget": lambda cell: str(cell.spec.attack.budget),
    "victim_seed": lambda cell: str(cell.spec.victim_seed),
    "attacker_seed": lambda cell: str(cell.spec.attacker_seed),
}


def choose_cells(cells: Sequence[MatrixCell], patterns: Sequence[str]) -> list[MatrixCell]:
    """Returns the cells that match, for every key that is named, one of its patterns.

    Args:
        cells: all cells.
        patterns: `key=pattern`, the pattern with `*`, `?` and `[...]` as in a shell.

    Raises:
        UsageError: not of that form, an unknown key, or a pattern that no cell matches.
    """
    wanted: dict[str, list[str]] = {}
    for text in patterns:
        key, equals, pattern = text.partition("=")
        if not equals or not pattern:
            raise UsageError(f"--only {text!r}: expected key=pattern, e.g. --only attack=knockoff*")
        if key not in _FIELDS:
            raise UsageError(
                f"--only {text!r}: unknown key {key!r}{suggest(key, _FIELDS)}; known: {', '.join(_FIELDS)}"
            )
        values = sorted({_FIELDS[key](cell) for cell in cells})
        if not any(fnmatchcase(value, pattern) for value in values):
            raise UsageError(f"--only {text!r} matches no cell; {key} is one of: {', '.join(values) or '(no cells)'}")
        wanted.setdefault(key, []).append(pattern)
    chosen = [
        cell
        for cell in cells
        if all(any(fnmatchcase(_FIELDS[key](cell), pattern) for pattern in allowed) for key, allowed in wanted.items())
    ]
    if cells and not chosen:
        raise UsageError(f"--only {' --only '.join(patterns)}: no cell matches all of them")
    return chosen
