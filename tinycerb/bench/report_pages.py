"""The table of a report's pages, and the report that has them all."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from tinycerb.registry import Registry
from tinycerb.reports.facts import Metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The content of `metrics.json` -> figures of A4 size, as `tinycerb.reports.style.new_page` makes them
Page = Callable[[Metrics], "list[Figure]"]
REPORT_PAGES: Registry[Page] = Registry("report page")

# In their order; the last one says what the others do not.
BUILT_IN = ("summary", "stealing", "doses", "training", "compression", "layers", "confusion", "ownership", "limits")


def _built_in(name: str) -> Page:
    # Matplotlib is imported where a page is drawn.
    return lambda metrics: import_module(f"tinycerb.reports.pages.{name}").draw(metrics)


for _name in BUILT_IN:
    REPORT_PAGES.register(_name)(_built_in(_name))


def render_report(metrics: Metrics) -> bytes:
    """Renders all pages as a PDF, those of plugins by name before the last one of ours; see `render_pdf`."""
    from tinycerb.reports.pdf import render_pdf

    further = [name for name in REPORT_PAGES if name not in BUILT_IN]
    return render_pdf(metrics, [REPORT_PAGES[name] for name in (*BUILT_IN[:-1], *further, BUILT_IN[-1])])
