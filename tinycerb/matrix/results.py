"""From cells to `results.json`: worst cases with intervals, who broke what, and the rows that keep it honest."""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from tinycerb import file_names
from tinycerb.attacks.published_budgets import scaled_down
from tinycerb.bench.asked_heads import MEAN_HEAD
from tinycerb.bench.cell import threat_class
from tinycerb.bench.statistics import area_over_log_calls, difference_estimate, share_estimate
from tinycerb.bench.verdict import THREATS
from tinycerb.config import AttackConfig
from tinycerb.datasets import load_dataset
from tinycerb.matrix.cells import MatrixCell, Skipped
from tinycerb.matrix.reference_rows import reference_rows
from tinycerb.matrix.victims import victim_figures
from tinycerb.reports.matrix.results import (
    AttackOnVictim,
    BudgetPoint,
    CellRow,
    Results,
    ScaledDown,
    ThreatVerdict,
    VictimCost,
    VictimVerdict,
)
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import read_json, write_json

SCHEMA_VERSION = 1
_DISTANCES = ("agreement_with_victim", "kl_to_victim", "l1_to_victim")
# What tells one configuration of an attacker from another; seeds repeat it.
_SETTING = ("attack", "budget", "student", "learning_rate", "selection")

Row = CellRow


def gather_results(
    runs: Sequence[RunDirectory],
    cells: Sequence[MatrixCell],
    finished: Mapping[str, Mapping[str, object]],
    skipped: Sequence[Skipped],
    failures: Sequence[str],
) -> Results:
    """Builds and writes `results.json`; see `build_results`."""
    results = build_results(runs, cells, finished, skipped, failures)
    write_json(runs[0].path / file_names.RESULTS, results)
    return results


def build_results(
    runs: Sequence[RunDirectory],
    cells: Sequence[MatrixCell],
    finished: Mapping[str, Mapping[str, object]],
    skipped: Sequence[Skipped],
    failures: Sequence[str],
) -> Results:
    """Builds what `results.json` holds.

    Args:
        runs: one per victim seed, that of the matrix's directory first.
        cells: all cells of the matrix.
        finished: contents of those that are done, by digest.
        skipped: what was left out.
        failures: cells that failed, a sentence each.
    """
    config = runs[0].config
    dataset = load_dataset(config.data)
    rows = [_row(cell, finished[cell.digest]) for cell in cells if cell.digest in finished]
    victims = {victim.name: victim_figures(runs, victim.name) for victim in config.victims}
    threat_of = {attack.name: threat_class(attack) for attack in config.attacks}
    test_images = len(dataset.test.images)
    return {
        "schema_version": SCHEMA_VERSION,
        "name": config.name,
        "baseline": config.bench.baseline,
        "validity": config.bench.validity,
        "provenance": {
            **read_json(runs[0].path / file_names.ENVIRONMENT),
            "dataset": dataset.name,
            "dataset_sha256": dataset.digest,
            "test_images": test_images,
            "classes": dataset.classes,
        },
        "victim_seeds": [run.config.seed for run in runs],
        "attacker_seeds": sorted({row["attacker_seed"] for row in rows}),
        "cells_in_all": len(cells),
        "cells_done": len(rows),
        "failures": list(failures),
        "skipped": [{"attack": each.attack, "budget": each.budget, "reason": each.reason} for each in skipped],
        **_scaled_down(cells, dataset.name),
        "victims": victims,
        "threats": {
            threat: judge_threat(rows, victims, config.bench.baseline, config.bench.validity, threat, test_images)
            for threat in dict.fromkeys(threat_of.values())
        },
        "reference_rows": reference_rows(config, rows, victims, dataset),
        "cells": rows,
    }


def _scaled_down(cells: Sequence[MatrixCell], dataset: str) -> ScaledDown:
    """Each attack with its largest budget, the one that its best clone mostly comes from."""
    largest: dict[str, AttackConfig] = {}
    for cell in sorted(cells, key=lambda cell: cell.spec.attack.budget):
        largest[cell.spec.attack.name] = cell.spec.attack
    said = scaled_down([largest[name] for name in dict.fromkeys(cell.spec.attack.name for cell in cells)], dataset)
    return {"scaled_down": said} if said else {}


def _row(cell: MatrixCell, content: Mapping[str, object]) -> Row:
    spec = cell.spec
    result, made_as = (cast(dict[str, object], content[key]) for key in ("result", "spec"))
    kept: tuple[str, ...] = (
        "clone_accuracy",
        "clone_accuracy_oracle_best",
        "queries_charged",
        "clone_parameters",
        *_DISTANCES,
    )
    row = {
        "basis": "measured",
        "digest": made_as["digest"],
        "victim": spec.victim,
        "attack": spec.attack.name,
        "threat": cell.threat,
        "budget": spec.attack.budget,
        "student": spec.student,
        "learning_rate": spec.learning_rate,
        "selection": spec.selection,
        "mean_head": spec.selection == MEAN_HEAD,
        "victim_seed": spec.victim_seed,
        "attacker_seed": spec.attacker_seed,
        **{key: result.get(key) for key in kept},
        "untrained_accuracy": result.get("untrained_accuracy"),
    }
    return cast(Row, row)


def judge_threat(
    rows: Sequence[Row],
    victims: Mapping[str, VictimCost],
    baseline: str,
    validity: float,
    threat: str,
    test_images: int,
) -> ThreatVerdict:
    """Judges one threat class; classes are never mixed.

    A defence's figure is the maximum over all attacks and their settings, attacker seeds averaged within each, on every
    victim seed by itself. Attacks whose best clone of the baseline stays below `validity` times the baseline's accuracy
    may raise it, but support no claim: without a valid one, or without the baseline, the class is inconclusive.
    """
    rows = [row for row in rows if row["threat"] == threat]
    seeds = sorted({row["victim_seed"] for row in rows})
    accuracy = dict(zip(victims[baseline]["seeds"], victims[baseline]["accuracy_per_seed"], strict=True))
    bar = validity * float(np.mean([accuracy[seed] for seed in seeds if seed in accuracy] or list(accuracy.values())))
    worst = {
        name: {seed: case for seed in seeds if (case := _best(rows, victim=name, victim_seed=seed))} for name in victims
    }
    attacks = []
    for attack in dict.fromkeys(row["attack"] for row in rows):
        best = [_best(rows, victim=baseline, victim_seed=seed, attack=attack) for seed in seeds]
        reached = [case["clone_accuracy"] for case in best if case]
        mean = float(np.mean(reached)) if reached else None
        attacks.append({"attack": attack, "baseline_clone_accuracy": mean, "valid": mean is not None and mean >= bar})
    conclusive = any(attack["valid"] for attack in attacks)
    valid = {attack["attack"] for attack in attacks if attack["valid"]}
    table: dict[str, VictimVerdict | None] = {}
    for name in victims:
        both = [seed for seed in worst[name] if seed in worst[baseline]]
        # The baseline's difference to itself is nothing to put an interval on.
        compared = both if name != baseline else []
        by_attack = _by_attack(rows, name, seeds, test_images, valid)
        claimed = conclusive and bool(both)
        table[name] = _verdict(worst[name], worst[baseline], compared, test_images, by_attack, claimed)
    return {"meaning": THREATS[threat], "bar": bar, "conclusive": conclusive, "attacks": attacks, "victims": table}


def _verdict(
    ours: Mapping[int, Row],
    reference: Mapping[int, Row],
    both: Sequence[int],
    test_images: int,
    by_attack: dict[str, AttackOnVictim],
    conclusive: bool,
) -> VictimVerdict | None:
    found = list(ours.values())
    if not found:
        return None
    stolen = [case["clone_accuracy"] for case in found]
    breaker = max(found, key=lambda case: case["clone_accuracy"])
    mine, theirs = ([cases[seed]["clone_accuracy"] for seed in both] for cases in (ours, reference))
    difference = difference_estimate(mine, theirs, test_images).table() if both else None
    distances = {
        key: float(np.mean(values))
        if (values := [value for case in found if (value := case[key]) is not None])
        else None
        for key in _DISTANCES
    }
    verdict = {
        "stolen_accuracy": share_estimate(stolen, test_images).table(),
        "broken_by": {key: breaker[key] for key in _SETTING},
        "broken_by_per_seed": {str(case["victim_seed"]): case["attack"] for case in found},
        "difference_to_baseline": difference,
        **distances,
        "by_attack": by_attack,
        "conclusive": conclusive,
    }
    return cast(VictimVerdict, verdict)


def _by_attack(
    rows: Sequence[Row], victim: str, seeds: Sequence[int], test_images: int, valid: set[str]
) -> dict[str, AttackOnVictim]:
    found: dict[str, AttackOnVictim] = {}
    for attack in dict.fromkeys(row["attack"] for row in rows if row["victim"] == victim):
        best = [_best(rows, victim=victim, victim_seed=seed, attack=attack) for seed in seeds]
        stolen = [case["clone_accuracy"] for case in best if case]
        curve = _budget_curve(rows, victim, attack)
        found[attack] = {
            "stolen_accuracy": share_estimate(stolen, test_images).table(),
            "valid": attack in valid,
            "budget_curve": curve,
            "area_over_log_calls": area_over_log_calls(
                [point["queries_charged"] for point in curve], [point["clone_accuracy"] for point in curve]
            ),
        }
    return found


def _budget_curve(rows: Sequence[Row], victim: str, attack: str) -> list[BudgetPoint]:
    """The best clone at each budget, the mean over victim seeds."""
    points: list[BudgetPoint] = []
    mine = [row for row in rows if row["victim"] == victim and row["attack"] == attack]
    for budget in dict.fromkeys(row["budget"] for row in mine):
        at = [row for row in mine if row["budget"] == budget]
        best = [
            case for seed in dict.fromkeys(row["victim_seed"] for row in at) if (case := _best(at, victim_seed=seed))
        ]
        points.append(
            {
                "budget": budget,
                "queries_charged": round(float(np.mean([case["queries_charged"] for case in best]))),
                "clone_accuracy": float(np.mean([case["clone_accuracy"] for case in best])),
            }
        )
    return sorted(points, key=lambda point: point["queries_charged"])


def _best(rows: Sequence[Row], **wanted: object) -> Row | None:
    """The setting whose clone is best, with figures that are means over the attacker's seeds."""
    groups: dict[tuple, list[Row]] = {}
    for row in rows:
        if all(row.get(key) == value for key, value in wanted.items()):
            groups.setdefault(tuple(row.get(key) for key in _SETTING), []).append(row)
    means = [_mean_row(group) for group in groups.values()]
    return max(means, key=lambda row: row["clone_accuracy"], default=None)


def _mean_row(group: Sequence[Row]) -> Row:
    def mean(key: str) -> float | None:
        values = [value for row in group if (value := row.get(key)) is not None]
        return float(np.mean(values)) if values else None

    keys = ("clone_accuracy", "clone_accuracy_oracle_best", "queries_charged", *_DISTANCES)
    return cast(Row, {**group[0], **{key: mean(key) for key in keys}})
