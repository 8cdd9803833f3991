"""Lists for a terminal: lines that are longer than it is wide go on below, indented."""

import shutil
import textwrap
from collections.abc import Sequence

# Where nothing says how wide it is, as in a pipe.
NARROW = 80


def hanging(head: str, text: str, indent: int) -> str:
    """Returns `head` and a text behind it that starts at `indent`, as do its further lines."""
    width = shutil.get_terminal_size((NARROW, 24)).columns
    first, *others = textwrap.wrap(text, max(width - indent, 20)) or [""]
    # A long head leaves the text a line of its own.
    start = f"{head:<{indent}}" if len(head) < indent else f"{head}\n{'':{indent}}"
    return "\n".join([start + first, *(f"{'':{indent}}{line}" for line in others)])


def in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns rows of short texts as lines, columns below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
