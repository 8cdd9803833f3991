"""How often independent models are accused: a figure of p-values, and the table that it is drawn from."""

import io
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from tests.benchmarks.ownership_table.subject import BATCH, Target
from tinycerb.atomic import write_arrays, write_bytes
from tinycerb.bounded.arrays import read_npz
from tinycerb.datasets.procedural import generate
from tinycerb.verification.by_population import tail
from tinycerb.verification.fresh_keys import p_of_fresh_keys
from tinycerb.verification.removals import labels_of

_LEVEL, _DRAWN = 1e-3, 1000
_LEVELS = (0.5, 0.2, 0.1, 0.05, 0.01, 0.001)
# Fresh keys between two stops.
_AT_ONCE = 50


def calibration(target: Target, folder: Path, networks: int, keys: int) -> str:
    """Measures what is missing of p-values of independent networks under fresh keys, draws them, and says it.

    Args:
        target: the model whose questions are asked.
        folder: of the table.
        networks: how many independent networks there are.
        keys: how many fresh keys.
    """
    if target.teachers is None:
        return ""
    subject, questions = target.subject, target.questions.part(0, BATCH)
    labels = np.stack([labels_of(target.subject.network(index), questions.images) for index in range(networks)])
    wanted = subject.config.out_of_distribution
    drawn = generate(wanted.families, _DRAWN, subject.dataset.train.images, subject.config.seed)
    found = []
    for first in range(0, keys, _AT_ONCE):
        kept = folder / f"fresh-keys-{networks}-{first}.npz"
        if not kept.exists():
            count = min(_AT_ONCE, keys - first)
            write_arrays(kept, {"p": p_of_fresh_keys(labels, questions, target.teachers, drawn, first, count)})
        found.append(read_npz(kept)["p"])
    p = np.concatenate(found)
    rates = np.array([target.p0[family] for family in questions.families])[questions.kinds]
    agreed = labels == target.expected[:BATCH]
    accused = sum(tail(int(count), rates) <= _LEVEL for count in agreed[networks // 2 :].sum(axis=1))
    write_bytes(folder / "calibration.png", figure(p))
    levels = " | ".join(f"{level:g}" for level in _LEVELS)
    shares = " | ".join(f"{(p <= level).mean():.4f}" for level in _LEVELS)
    told = len(agreed) - networks // 2
    return (
        f"\n{p.shape[1]} independent models, {p.shape[0]} keys that none of them knows; share of p-values by the "
        f"secret at or below\n\n| {levels} |\n|{'---:|' * len(_LEVELS)}\n| {shares} |\n\n"
        f"By the population, of {told} models that the null was not measured on: {accused} at or below {_LEVEL:g}.\n"
        f"Figure: {folder / 'calibration.png'}"
    )


def figure(p: np.ndarray) -> bytes:
    """Returns a PNG: the share of p-values at or below a level, beside what it should be."""
    drawing = Figure((4, 4), dpi=120, layout="constrained")
    axes = drawing.add_subplot()
    levels = np.sort(p.ravel())
    axes.plot(levels, np.arange(1, len(levels) + 1) / len(levels), label="all models and keys")
    axes.plot([1e-4, 1], [1e-4, 1], "--", color="0.5", label="uniform")
    axes.set(xscale="log", yscale="log", xlabel="p by the secret", ylabel="share at or below")
    axes.legend()
    buffer = io.BytesIO()
    drawing.savefig(buffer, format="png")
    return buffer.getvalue()
