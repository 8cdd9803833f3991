"""Tables as text on a page."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from tinycerb.reports.plain_text import fitted, width_of
from tinycerb.reports.style import PALE, RULE

# Points between a row's label and what stands beside it.
_GAP = 6


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
        shown = [_beside(axes, texts, edges, points, weight), *texts[1:]]
        for column, (text, edge) in enumerate(zip(shown, edges, strict=True)):
            side = "left" if column == 0 else "right"
            axes.text(edge, top - row_height / 2, text, size=points, ha=side, va="center", weight=weight)
        top -= row_height
        if is_header:
            axes.plot([0, 1], [top, top], color=RULE, linewidth=0.8)


def _beside(axes: Axes, texts: Sequence[str], edges: Sequence[float], size: float, weight: str) -> str:
    """The row's label, no longer than its neighbour leaves room for."""
    if len(texts) < 2:
        return texts[0]
    width = 72 * axes.figure.get_figure(root=True).get_size_inches()[0] * axes.get_position().width
    return fitted(texts[0], width * (edges[1] - edges[0]) - width_of(texts[1], size, weight) - _GAP, size, weight)
