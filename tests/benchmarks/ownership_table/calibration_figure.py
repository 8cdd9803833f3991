"""A figure of how often independent models get which p-value."""

import io

import numpy as np
from matplotlib.figure import Figure

# Least p that 9,999 teachers of other keys can show.
_LEAST = 1e-4


def shares_at_or_below(p: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Returns the share of p-values, float of any shape, at or below each level, float64 [L]."""
    return np.searchsorted(np.sort(p.ravel()), levels, side="right") / p.size


def figure(p: np.ndarray) -> bytes:
    """Returns a PNG: the share of p-values at or below every level, of each model and of all, beside what it should be.

    Args:
        p: of independent models under keys that none of them knows, float [keys, models].
    """
    keys, models = p.shape
    drawing = Figure((5, 4), dpi=100, layout="constrained")
    axes = drawing.add_subplot()
    levels = np.geomspace(_LEAST, 1, 400)
    for model in range(models):
        axes.step(levels, _seen(p[:, model], levels), color="0.8", linewidth=0.7, label=_once("one model", model))
    axes.step(levels, _seen(p, levels), color="tab:blue", label=f"all {models}, {keys} keys each")
    axes.plot([_LEAST, 1], [_LEAST, 1], "--", color="black", linewidth=1, label="uniform, as it should be")
    axes.set(xscale="log", yscale="log", xlim=(_LEAST, 1), ylim=(_LEAST, 1))
    axes.set(xlabel="level", ylabel="share of p-values by the secret at or below it")
    axes.set_title("Independent models under keys that they do not know", fontsize="medium")
    axes.legend(loc="upper left")
    buffer = io.BytesIO()
    # No date and no version: the same figures give the same bytes.
    drawing.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _seen(p: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Shares without those of none, which have no logarithm."""
    shares = shares_at_or_below(p, levels)
    return np.where(shares > 0, shares, np.nan)


def _once(label: str, index: int) -> str:
    """The label of the first of many lines; the others have none in the legend."""
    return label if index == 0 else "_"
