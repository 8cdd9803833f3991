"""Tables as text on a page."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from reports.style import PALE, RULE


def draw_table(
    axes: Axes,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    edges: Sequence[float],
    row_height: float,
    size: float = 8.5,
    bold_rows: Sequence[int] = (),
    header_size: float = 0.0,
) -> None:
    """Draws a table from the top of blank axes downwards.

    Args:
        axes: axes of `blank_axes`.
        header: one text per column.
        rows: texts; the first column is set left, the others right.
        edges: for the first column its left edge, for the others their right edge, 0 to 1.
        row_height: height of a row, as a share of the axes.
        size: font size in points.
        bold_rows: indices of rows to set bold.
        header_size: font size of the header, by default that of the rows.
    """
    top = 1.0
    for index, texts in enumerate([header, *rows]):
        is_header = index == 0
        if not is_header and index % 2 == 0:
            axes.axhspan(top - row_height, top, color=PALE, zorder=0)
        points = header_size or size if is_header else size
        weight = "bold" if is_header or index - 1 in bold_rows else "normal"
        for column, (text, edge) in enumerate(zip(texts, edges, strict=True)):
            side = "left" if column == 0 else "right"
            axes.text(edge, top - row_height / 2, text, size=points, ha=side, va="center", weight=weight)
        top -= row_height
        if is_header:
            axes.plot([0, 1], [top, top], color=RULE, linewidth=0.8)
