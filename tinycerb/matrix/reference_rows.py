"""The rows beside which every defence is read: without them pruning, labels or luck would pass for protection."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tinycerb.config import Config, VictimConfig
from tinycerb.config.user_sources import IN_DISTRIBUTION
from tinycerb.datasets.images import Dataset
from tinycerb.reports.matrix.results import CellRow, ReferenceRow, VictimCost
from tinycerb.run.victim import resolve_victim

_Rows = Sequence[CellRow]
_Fits = Callable[[VictimConfig], bool]


def reference_rows(
    config: Config, rows: _Rows, victims: Mapping[str, VictimCost], dataset: Dataset
) -> list[ReferenceRow]:
    """Returns the reference rows: a name, what it is, the owner's accuracy and the best clone per threat class.

    A row that this matrix cannot fill says how to get it.
    """
    baseline = victims[config.bench.baseline]
    untrained = [row["untrained_accuracy"] for row in rows if row["untrained_accuracy"] is not None]
    own = {attack.name for attack in config.attacks if attack.query_pool == IN_DISTRIBUTION}
    alone = [row for row in rows if row["attack"] in own]
    mean_head = [row for row in rows if row["mean_head"]]
    accuracy = baseline["accuracy"]["mean"] if baseline["accuracy"] else None
    guess = 1 / dataset.classes
    return [
        _row("undefended, float", "the baseline before it was quantized", baseline.get("float_accuracy")),
        _row("undefended, int8", config.bench.baseline, accuracy, _by_threat(rows, config.bench.baseline)),
        _like(config, rows, victims, "pruned, one head", _is_control, "a victim with channel_ratio above 0 alone"),
        _like(config, rows, victims, "labels alone (top-1)", _responds("top1"), 'a victim with response = "top1"'),
        _like(config, rows, victims, "rounding", _responds("rounding"), 'a victim with response = "rounding"'),
        _row(
            "mean head",
            "exact mean of all heads, what repeating every question comes to; the best over all victims"
            if mean_head
            else "missing: no victim with several heads",
            None,
            _best_by_threat(mean_head),
        ),
        _row(
            "own-kind images alone",
            "best clone of any victim by an attacker with no other images"
            if alone
            else "missing: add an attack with query_pool = 'in_distribution'",
            None,
            _best_by_threat(alone),
        ),
        _row(
            "no question asked",
            "untrained students, the mean",
            None,
            {"T1": float(np.mean(untrained))} if untrained else {},
        ),
        _row("random guess", f"one of {dataset.classes} classes", guess, {"T1": guess, "T2": guess}),
    ]


def _is_control(victim: VictimConfig) -> bool:
    return victim.is_pruned and victim.response == "none" and victim.defense == "none"


def _responds(name: str) -> _Fits:
    return lambda victim: victim.response.split(",")[0] == name and resolve_victim(victim).heads.learned == 1


def _like(
    config: Config, rows: _Rows, victims: Mapping[str, VictimCost], name: str, fits: _Fits, remedy: str
) -> ReferenceRow:
    found = next((victim.name for victim in config.victims if fits(victim)), None)
    if found is None:
        return _row(name, f"missing: add {remedy}", None)
    accuracy = victims[found]["accuracy"]
    return _row(name, found, accuracy["mean"] if accuracy else None, _by_threat(rows, found))


def _by_threat(rows: _Rows, victim: str) -> dict[str, float]:
    return _best_by_threat([row for row in rows if row["victim"] == victim])


def _best_by_threat(rows: _Rows) -> dict[str, float]:
    threats = dict.fromkeys(row["threat"] for row in rows)
    return {threat: max(row["clone_accuracy"] for row in rows if row["threat"] == threat) for threat in threats}


def _row(name: str, what: str, accuracy: float | None, stolen: Mapping[str, float] | None = None) -> ReferenceRow:
    return {"row": name, "what": what, "accuracy": accuracy, "stolen": dict(stolen or {})}
