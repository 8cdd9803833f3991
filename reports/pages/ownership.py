"""What suspects were found to be, the latest first; no page where nobody was asked."""

from matplotlib.figure import Figure

from tinycerb.reports.metrics import Metrics
from tinycerb.reports.verification import verification_page

# Of older ones the files are still in the run.
_SHOWN = 5


def draw(metrics: Metrics) -> list[Figure]:
    """Draws a page for each of the latest verifications."""
    return [verification_page(facts) for facts in metrics.get("verifications", [])[: -_SHOWN - 1 : -1]]
