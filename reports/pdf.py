"""The report as a PDF, the same bytes for the same metrics."""

import io
from collections.abc import Callable, Sequence

import matplotlib as mpl
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from tinycerb.reports.metrics import Metrics
from tinycerb.reports.pages import compression, confusion, doses, layers, limits, ownership, stealing, summary, training
from tinycerb.reports.plain_text import clean, drawable
from tinycerb.reports.style import STYLE, add_footer

PAGES: tuple[Callable[[Metrics], list[Figure]], ...] = (
    summary.draw,
    stealing.draw,
    doses.draw,
    training.draw,
    compression.draw,
    layers.draw,
    confusion.draw,
    ownership.draw,
    limits.draw,
)


def render_pdf(metrics: Metrics, pages: Sequence[Callable[[Metrics], list[Figure]]] = PAGES) -> bytes:
    """Renders all pages.

    Args:
        metrics: the content of `metrics.json`.
        pages: what draws them, in their order.

    Returns:
        The PDF. It holds no date of its own: the run's time stands in the text.
    """
    metrics = clean(metrics, drawable)
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        figures = [figure for draw in pages for figure in draw(metrics)]
        facts = metrics["provenance"]
        footer = f"TinyCerb {facts['tinycerb']} · run {metrics['name']} · configuration {facts['config_sha256_prefix']}"
        with PdfPages(buffer, metadata={"Title": f"TinyCerb: {metrics['name']}", "CreationDate": None}) as pdf:
            for page, figure in enumerate(figures, start=1):
                add_footer(figure, footer, page, len(figures))
                pdf.savefig(figure)
    return buffer.getvalue()
