"""Many victims side by side: as many at a time as the terminal is wide, table under table."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Group
from rich.table import Table
from rich.text import Text

# Of a column: a border and a space on either side.
_AROUND = 3
# A victim's name and its texts.
Column = tuple[str, Sequence[str]]


def side_by_side(
    title: str, labels: Sequence[str], columns: Sequence[Column], width: int, caption: Text | None = None
) -> Group:
    """Returns tables with one column per victim, none of them cut as long as one column fits.

    Args:
        title: over the first table.
        labels: of the rows.
        columns: per victim its name and one text per row.
        width: of the terminal, in characters.
        caption: under the last table.
    """
    tables = []
    groups = _groups(labels, columns, width)
    for index, shown in enumerate(groups):
        last = index + 1 == len(groups)
        table = Table(
            title=title if index == 0 else None,
            caption=caption if last else None,
            caption_justify="left",
            caption_style="",
        )
        table.add_column("", overflow="fold")
        for name, _ in shown:
            table.add_column(name, justify="right", overflow="fold")
        for row, label in enumerate(labels):
            table.add_row(label, *(texts[row] for _, texts in shown))
        tables.append(table)
    return Group(*tables)


def _groups(labels: Sequence[str], columns: Sequence[Column], width: int) -> list[list[Column]]:
    spare = width - 1 - _AROUND - max(map(cell_len, labels))
    groups: list[list[Column]] = []
    left = 0
    for name, texts in columns:
        wanted = _AROUND + max(map(cell_len, (name, *texts)))
        if not groups or wanted > left:
            groups.append([])
            left = spare
        groups[-1].append((name, texts))
        left -= wanted
    return groups
