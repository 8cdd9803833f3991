"""Many victims side by side on a terminal of 80 columns: a few at a time, table under table."""

from collections.abc import Mapping, Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

_AT_ONCE = 4


def side_by_side(
    title: str, labels: Sequence[str], columns: Mapping[str, Sequence[str]], caption: Text | None = None
) -> Group:
    """Returns tables with one column per victim.

    Args:
        title: over the first table.
        labels: of the rows.
        columns: one text per row for every victim.
        caption: under the last table.
    """
    names = list(columns)
    tables = []
    for start in range(0, len(names), _AT_ONCE):
        shown = names[start : start + _AT_ONCE]
        last = start + _AT_ONCE >= len(names)
        table = Table(title=title if start == 0 else None, caption=caption if last else None)
        table.add_column("", overflow="fold")
        for name in shown:
            table.add_column(name, justify="right", overflow="fold")
        for row, label in enumerate(labels):
            table.add_row(label, *(columns[name][row] for name in shown))
        tables.append(table)
    return Group(*tables)
