"""How often independent models are accused: p-values under fresh keys, kept, and what is told of them."""

from pathlib import Path

import numpy as np

from tests.benchmarks.ownership_table.calibration_figure import figure
from tests.benchmarks.ownership_table.subject import BATCH, Target
from tinycerb.atomic import write_arrays, write_bytes
from tinycerb.bounded.arrays import read_npz
from tinycerb.datasets.procedural import generate
from tinycerb.errors import UsageError
from tinycerb.verification.by_population import tail
from tinycerb.verification.fresh_keys import p_of_fresh_keys
from tinycerb.verification.removals import labels_of

_LEVEL, _DRAWN = 1e-3, 1000
_LEVELS = (0.5, 0.2, 0.1, 0.05, 0.01, 0.001)
# Fresh keys between two stops.
_AT_ONCE = 50


def kept_file(folder: Path, networks: int, first: int) -> Path:
    """Where the p-values of some keys are kept, float64 [keys, networks]."""
    return folder / f"fresh-keys-{networks}-{first}.npz"


def kept(folder: Path, networks: int, keys: int) -> np.ndarray:
    """Returns the p-values that were measured, float64 [keys, networks].

    Raises:
        UsageError: they were not, or of fewer keys.
    """
    files = [kept_file(folder, networks, first) for first in range(0, keys, _AT_ONCE)]
    found = [read_npz(file)["p"] for file in files if file.exists()]
    there = sum(map(len, found))
    if len(found) < len(files) or there < keys:
        raise UsageError(
            f"{folder} keeps p-values of {networks} networks under {there} keys, not {keys}; measure them with: "
            f"make bench-ownership ARGS='... --networks {networks} --keys {keys}', or ask for --keys {there}"
        )
    return np.concatenate(found)[:keys]


def measure(target: Target, folder: Path, networks: int, keys: int) -> str:
    """Measures what is missing of p-values of independent networks under fresh keys, and says what they are.

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
    for first in range(0, keys, _AT_ONCE):
        file, count = kept_file(folder, networks, first), min(_AT_ONCE, keys - first)
        if not file.exists() or len(read_npz(file)["p"]) < count:
            write_arrays(file, {"p": p_of_fresh_keys(labels, questions, target.teachers, drawn, first, count)})
    rates = np.array([target.p0[family] for family in questions.families])[questions.kinds]
    agreed = labels == target.expected[:BATCH]
    accused = sum(tail(int(count), rates) <= _LEVEL for count in agreed[networks // 2 :].sum(axis=1))
    return (
        f"{told(kept(folder, networks, keys))}\n\nBy the population, of {len(agreed) - networks // 2} models that the "
        f"null was not measured on: {accused} at or below {_LEVEL:g}."
    )


def told(p: np.ndarray) -> str:
    """Returns how often p-values, float [keys, networks], are at or below some levels, as a page's table."""
    levels = " | ".join(f"{level:g}" for level in _LEVELS)
    shares = " | ".join(f"{(p <= level).mean():.4f}" for level in _LEVELS)
    return (
        f"\n{p.shape[1]} independent models, {p.shape[0]} keys that none of them knows; share of p-values by the "
        f"secret at or below\n\n| {levels} |\n|{'---:|' * len(_LEVELS)}\n| {shares} |"
    )


def draw(folder: Path, networks: int, keys: int, file: Path) -> str:
    """Draws the p-values that were measured, and says them; nothing is computed again.

    Raises:
        UsageError: they were not measured, or of fewer keys.
        EnvironmentProblem: the figure cannot be written.
    """
    p = kept(folder, networks, keys)
    write_bytes(file, figure(p))
    return f"{told(p)}\n\nFigure: {file}"
