"""Gathers what the tasks have left into `metrics.json`, from which alone the report is made."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import cast

from tinycerb.attacks.published_budgets import scaled_down
from tinycerb.bench.asked_heads import MEAN_HEAD, attack_runs
from tinycerb.bench.cell import cell_specs, find_cell, threat_class
from tinycerb.bench.device_costs import device_costs
from tinycerb.bench.doses import gather_doses
from tinycerb.bench.separation_verdict import judge as judge_separation
from tinycerb.bench.verdict import Judged, gates, judge
from tinycerb.config import AttackConfig, Config
from tinycerb.config.user_sources import PUBLIC
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import Dataset
from tinycerb.datasets.out_of_distribution import SourceUse, short_name
from tinycerb.datasets.query_pools import query_pool
from tinycerb.errors import UsageError
from tinycerb.file_names import ENVIRONMENT
from tinycerb.reports.metrics import Cell, Doses, Metrics, Model, PoolSeparation, Separation, VictimMetrics
from tinycerb.run.directory import RunDirectory
from tinycerb.runtimes.model_json import read_model_json
from tinycerb.seal.files import read_json, write_json
from tinycerb.seal.versions import differences

SCHEMA_VERSION = 2
_TRAINING_KEYS = ("parameters", "parameters_dense", "float_accuracy_per_head", "channel_groups", "history")


def gather_metrics(run: RunDirectory) -> Metrics:
    """Builds and writes `metrics.json`; see `build_metrics`."""
    metrics = build_metrics(run)
    write_json(run.metrics, metrics)
    return metrics


def build_metrics(run: RunDirectory) -> Metrics:
    """Builds what `metrics.json` holds.

    Every section that holds numbers says `measured` or `estimated` under `basis`.

    Args:
        run: a run whose tasks are all done.

    Raises:
        UsageError: a cell is missing.
        EnvironmentProblem: a file is missing or damaged.
    """
    config = run.config
    dataset = load_dataset(config.data)
    latency = read_json(run.latency)
    victims = {victim.name: _victim(run, victim.name, latency[victim.name]) for victim in config.victims}
    cells = _cells(run, dataset)
    baseline_bytes = victims[config.bench.baseline]["file"]["flash_bytes"]
    for name, victim in victims.items():
        victim["file"]["flash_share_of_baseline"] = victim["file"]["flash_bytes"] / baseline_bytes
        victim["cells"] = [cell for cell in cells if cell["victim"] == name]
    judged: dict[str, Judged] = {
        name: {
            "accuracy_expected": victim["accuracy"]["accuracy_expected"],
            "flash_share_of_baseline": victim["file"]["flash_share_of_baseline"],
            "flash_bytes": victim["file"]["flash_bytes"],
            "arena_bytes": victim["memory"]["arena_bytes"] if victim["memory"] else None,
            "cells": victim["cells"],
        }
        for name, victim in victims.items()
    }
    doses = gather_doses(run, dataset)
    pools = {attack.name: _describe_pool(attack) for attack in config.attacks}
    found: Metrics = {
        "schema_version": SCHEMA_VERSION,
        "name": config.name,
        "baseline": config.bench.baseline,
        "model": cast(Model, asdict(config.model)),
        "provenance": {
            **read_json(run.path / ENVIRONMENT),
            "dataset": dataset.name,
            "dataset_source": dataset.source,
            "dataset_sha256": dataset.digest,
            "dataset_images": {
                "train": len(dataset.train.images),
                "validation": len(dataset.validation.images),
                "test": len(dataset.test.images),
            },
            "dataset_split": dataset.split,
            "query_pools": pools,
            "out_of_distribution": asdict(config.out_of_distribution),
            "owner_key_sha256": config.owner if config.owner not in ("", PUBLIC) else None,
        },
        "class_names": list(dataset.class_names),
        "validity": config.bench.validity,
        "victims": victims,
        "threats": judge(config, judged, {attack.name: threat_class(attack) for attack in config.attacks}),
        "gates_missed": gates(config, judged),
        "not_measured": [*_not_measured(run, victims), *_without(doses)],
        "separation": _separation(run),
    }
    if doses:
        found["doses"] = doses
    return found


def _victim(run: RunDirectory, name: str, latency: Mapping[str, object]) -> VictimMetrics:
    config, files = run.victims[name].config, run.victims[name].files
    training, measured = read_json(files.training), read_json(files.measurements)
    bundle = read_model_json(files.model_json)
    card = bundle.to_json()
    victim = {
        "defense": config.defense,
        "defense_options": dict(config.options),
        "heads": training["heads"],
        "selection": training["selection"],
        "response": bundle.response,
        "owner_key": bundle.owner_key,
        "pruning": config.pruning,
        **({"choice": read_json(files.choice)} if config.seeds > 1 else {}),
        "budget": {"flash_bytes": config.flash_bytes, "ram_bytes": config.ram_bytes} if config.has_budget else None,
        "channel_ratio": config.channel_ratio,
        "training": {
            "basis": "measured",
            "zero_weight_share": training.get("zero_weight_share"),
            **{key: training[key] for key in _TRAINING_KEYS},
            **({"sources": training["sources"]} if "sources" in training else {}),
        },
        "calibration": card["calibration"],
        "file": {
            "basis": "measured",
            "flash_bytes": bundle.file_bytes,
            "sha256": bundle.sha256,
            "multiply_accumulates": sum(row.multiply_accumulates for row in bundle.operators),
            "operators": card["operators"],
            "inputs": card["inputs"],
            "outputs": card["outputs"],
            "alphas": card["alphas"],
        },
        "accuracy": {"basis": "measured", **measured["accuracy"]},
        "quantization": {"basis": "measured", "method": training["quantization"], **measured["quantization"]},
        "coherence": {"basis": "measured", **measured["coherence"]} if measured["coherence"] else None,
        "memory": {"basis": "measured", **measured["arena"]} if measured["arena"] else None,
        "latency": {"basis": "measured", **latency},
        "device": device_costs(run, name),
        "optimised_kernels": {"basis": "measured", **measured["optimised_kernels"]},
        # Older versions did not measure it.
        "handling": measured.get("handling", {}),
    }
    # Its sections were written in the shapes that their functions declare.
    return cast(VictimMetrics, victim)


def _separation(run: RunDirectory) -> list[PoolSeparation]:
    """What the undefended network promises of each pool; nothing where an older version measured it."""
    measured = read_json(run.victims[run.config.bench.baseline].files.measurements)
    found: dict[str, Separation] = measured.get("separation", {})
    return [{"pool": pool, "verdict": judge_separation(each), **each} for pool, each in found.items()]


def _cells(run: RunDirectory, dataset: Dataset) -> list[Cell]:
    rows: list[Cell] = []
    for victim, attack, selection in attack_runs(run):
        for spec in cell_specs(run, dataset, victim, attack, selection):
            cell = find_cell(run, spec)
            if cell is None:
                raise UsageError(
                    f"a cell of steal/{victim}/{attack}/{selection} is missing; run it with: tinycerb bench {run.path}"
                )
            row = {
                "basis": "measured",
                "digest": cell["spec"]["digest"],
                "victim": victim,
                "attack": attack,
                "student": spec.student,
                "learning_rate": spec.learning_rate,
                "attacker_seed": spec.attacker_seed,
                "selection": selection,
                "reference_row": selection == MEAN_HEAD,
                "output": spec.attack.output,
                **cell["result"],
            }
            rows.append(cast(Cell, row))
    return rows


def _not_measured(run: RunDirectory, victims: dict[str, VictimMetrics]) -> list[str]:
    """What a reader might take for granted and must not."""
    config = run.config
    notes = [
        *_adjusted(run),
        "One victim seed and one attacker seed: no interval. Differences of a few points may be chance.",
        _attacks_run(config),
        *scaled_down(config.attacks, config.data.name),
        _device({board for victim in victims.values() if (board := (victim.get("device") or {}).get("board"))}),
        "Working memory is that of TFLite Micro's interpreter on a 64-bit host with reference kernels."
        if all(victim["memory"] for victim in victims.values())
        else "Working memory: tflite-micro is not installed; `tinycerb doctor` says how to have it.",
        "Whoever can read the flash has the model: read-out protection is assumed, not provided.",
    ]
    notes += _provenance(run)
    if config.attacks and all(attack.output == "probs" for attack in config.attacks):
        notes.append(
            "Labels only: returning the label instead of the posterior is a defence of its own, which any other should "
            'beat. Add an attack with output = "top1" to see it.'
        )
    multi_head = [name for name, victim in run.victims.items() if victim.heads.answering > 1]
    if multi_head:
        notes.append(
            f"Heads of {', '.join(multi_head)} are drawn by a seeded generator here; a device needs a true random "
            "source. An attacker who repeats every question approaches the mean-head row."
        )
    return notes + _pictures(victims) + _pruning(run)


def _without(doses: Doses | None) -> list[str]:
    """Doses above what the data hold."""
    return [f"{doses['left_out']}."] if doses and doses["left_out"] else []


def _device(boards: Collection[str]) -> str:
    if not boards:
        return (
            "No board: time on a microcontroller, energy and instructions are not in this report. Host latency of int8 "
            "files does not rank them on a microcontroller."
        )
    return (
        f"No real board: instructions are counted in an emulator ({', '.join(sorted(boards))}); cycles are an estimate "
        "with a band, for which no board was measured. Time and energy are not in this report."
    )


def _pruning(run: RunDirectory) -> list[str]:
    """What removal of channels costs beside accuracy, where a training part needs them off the task as well."""
    taught = [victim for victim in run.victims.values() if victim.defense.uses_out_of_distribution]
    if not taught:
        return []
    pruned = [victim.name for victim in taught if victim.config.is_pruned]
    return [
        "Pruning costs protection, not accuracy alone: on Fashion-MNIST, trained for nine epochs, misdirection lost "
        "about four points of protection with every eighth of the channels removed. Pruned here with a training part: "
        f"{', '.join(pruned) or 'none'}."
    ]


def _pictures(victims: Mapping[str, VictimMetrics]) -> list[str]:
    """What victims were trained with off the task that no program has drawn."""
    found: dict[str, list[str]] = {}
    for name, victim in victims.items():
        uses = [SourceUse(**use) for use in victim["training"].get("sources", [])]
        if uses:
            found.setdefault("; ".join(map(str, uses)), []).append(name)
    return [
        f"Off the task, {', '.join(names)} learned from pictures beside what programs draw: {text}. A pool "
        "of the same kinds of pictures would flatter them."
        for text, names in found.items()
    ]


def _adjusted(run: RunDirectory) -> list[str]:
    """What the preset asks for and these data or pools do not hold."""
    adjusted = read_json(run.path / ENVIRONMENT).get("inputs", {}).get("adjusted", [])
    if not adjusted:
        return []
    values = (f"{each['key']} is {each['used']:,} instead of {each['asked']:,} ({each['reason']})" for each in adjusted)
    return [f"The whole preset: for these data and pools {', '.join(values)}."]


def _provenance(run: RunDirectory) -> list[str]:
    """What a reader should know of who made the artefacts, where it was not one set of versions alone."""
    first, *others = run.versions() or [{}]
    changed = list(dict.fromkeys(text for now in others for text in differences(first, now, "then")))
    notes = []
    if changed:
        notes.append(f"Artefacts were made with more than one set of versions: {', '.join(changed)}.")
    if adopted := run.adopted_files():
        notes.append(
            f"{len(adopted)} artefacts were taken into the manifest as they lay there (tinycerb check --seal): nothing "
            "tells whether they are the ones that were made."
        )
    return notes


def _describe_pool(attack: AttackConfig) -> str:
    copies = f"; {attack.pool_copies} varied copies of each, too" if attack.pool_copies else ""
    students = f"; students pretrained on {attack.pretraining}" if attack.pretraining else ""
    return query_pool(attack.query_pool).description + copies + students


def _attacks_run(config: Config) -> str:
    if not config.attacks:
        return (
            "Stealing: the run has no attacks, so nothing is known of how hard these models are to steal. Give the "
            "attacker images: --query-pool, or query_pool of an attack."
        )
    attacks = [
        f"{attack.name} ({attack.attack}, {attack.output}, {short_name(attack.query_pool)})"
        for attack in config.attacks
    ]
    return (
        f"Attacks run: {', '.join(attacks)}. Data-free and other adaptive attackers may do better; worst case here "
        "means the worst of these."
    )
