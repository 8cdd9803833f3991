"""Pairs of separation and protection from finished runs, the thresholds that follow, their error, and a figure.

make bench-separation ARGS="[--keep] [--plot separation.png] TASK=RUN ..."

A run has the attacks of docs/experiments/separation.toml or any others. Procedural families and the defender's half of
the photographs calibrate; all other pools check. With --keep the pairs replace those in
tinycerb/bench/separation_pairs.json.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from tinycerb.atomic import write_bytes
from tinycerb.bench import separation_verdict
from tinycerb.bench.cell import load_pool
from tinycerb.bench.run_separation import pool_label
from tinycerb.bench.separation import know_task, measure_separation, share_of_equal_labels
from tinycerb.bench.separation_inputs import separation_inputs
from tinycerb.bench.separation_verdict import WORDS, Pair, leave_tasks_out, measured_pairs, pack_pairs, thresholds_of
from tinycerb.datasets.query_pools import DRAWN
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import read_json

TABLE = Path(separation_verdict.__file__).with_name("separation_pairs.json")


def pairs_of(task: str, path: Path) -> list[Pair]:
    run, inputs = RunDirectory.open(path), separation_inputs(path)
    known, victims = know_task(inputs.undefended, inputs.dataset), read_json(run.metrics)["victims"]
    best = {
        (name, attack.name): max(cell["clone_accuracy"] for cell in victim["cells"] if cell["attack"] == attack.name)
        for name, victim in victims.items()
        for attack in run.config.attacks
    }
    rows = []
    for attack in run.config.attacks:
        images = load_pool(attack, inputs.dataset)
        found = measure_separation(known, images)
        for name, equal in share_of_equal_labels(inputs.undefended, inputs.defended, images).items():
            rows.append(
                Pair(
                    task=task,
                    pool=pool_label(attack),
                    calibrates=attack.query_pool.startswith(DRAWN) or attack.query_pool == "tiny_imagenet_defender",
                    auroc_confidence=found["auroc_confidence"],
                    auroc_features=found["auroc_features"],
                    equal_labels=round(equal, 4),
                    undefended_clone=round(best[run.config.bench.baseline, attack.name], 4),
                    misdirected_clone=round(best[name, attack.name], 4),
                    chance=round(1 / inputs.dataset.classes, 4),
                )
            )
    return rows


def plot(pairs: Sequence[Pair], path: Path) -> None:
    from matplotlib.figure import Figure

    found = thresholds_of(pairs)
    figure = Figure((7, 4.2))
    axes = figure.add_subplot()
    for task in dict.fromkeys(pair.task for pair in pairs):
        rows = [pair for pair in pairs if pair.task == task and pair.says_something]
        axes.scatter([row.separation for row in rows], [row.points for row in rows], label=task)
        for row in rows:
            axes.annotate(row.pool, (row.separation, row.points), fontsize=6, xytext=(4, 2), textcoords="offset points")
    for threshold in filter(math.isfinite, (found.will_not, found.will)):
        axes.axvline(threshold, color="grey", linestyle=":")
    axes.set_xlabel("separation: the better AUROC of confidence and features, undefended")
    axes.set_ylabel("points of clone accuracy that misdirection takes")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main(words: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", metavar="TASK=RUN")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--plot", type=Path)
    wanted = parser.parse_args(words)
    named = [each.partition("=") for each in wanted.runs]
    pairs = [pair for task, _, path in named for pair in pairs_of(task, Path(path))] or list(measured_pairs())
    found = thresholds_of(pairs)
    for pair in pairs:
        says = "" if pair.says_something else "  (copies too little)"
        sys.stdout.write(
            f"{pair.task:<14} {pair.pool:<24} {'calibrates' if pair.calibrates else 'checks':<10} "
            f"{pair.auroc_confidence:.3f} {pair.auroc_features:.3f} {pair.equal_labels:4.0%} "
            f"{pair.undefended_clone:.1%} {pair.misdirected_clone:.1%} {pair.points:5.1f} {WORDS[pair.outcome]}; "
            f"promised: {WORDS[found.judge(pair.separation)]}{says}\n"
        )
    sys.stdout.write(f"will not up to {found.will_not:.3f}, will from {found.will:.3f}\n")
    for row in leave_tasks_out(pairs):
        sys.stdout.write(
            f"without {row.task}: {row.wrong} of {row.pairs} wrong, {row.promised_too_much} too much, "
            f"{row.unsure} told may\n"
        )
    if wanted.keep:
        write_bytes(TABLE, pack_pairs(pairs).encode())
    if wanted.plot:
        plot(pairs, wanted.plot)


if __name__ == "__main__":
    main(sys.argv[1:])
