"""Runs the attacks that docs/adaptive_attacks.md recommends on a victim of a run, which is only read.

make bench-attacks RUN=RUN VICTIM=cerberos ARGS="[ATTACK ...] [--selection keyed]"

Prints a line for each: calls charged, clone accuracy on the test set, seconds, and what the attack found out.
"""

import argparse
import re
import time
import tomllib
from functools import partial
from pathlib import Path

from tinycerb.attacks import AttackInputs, attack_of
from tinycerb.attacks.base import OnEpoch
from tinycerb.attacks.building_blocks.students import STUDENTS
from tinycerb.bench.cell import load_in_distribution, load_pool
from tinycerb.config import AttackConfig
from tinycerb.config.typed_tables import build
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import Dataset
from tinycerb.events import ignore
from tinycerb.oracle import Oracle, OracleSpec, SealedOracle
from tinycerb.processes.variables import own_process
from tinycerb.run.directory import RunDirectory
from tinycerb.training.setup import make_repeatable

PAGE = Path(__file__).parents[2] / "docs" / "adaptive_attacks.md"


def recommended() -> list[AttackConfig]:
    """Returns the entries of the page."""
    blocks = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [build(AttackConfig, entry, "docs") for entry in tomllib.loads("\n".join(blocks))["attacks"]]


def inputs_for(
    oracle: Oracle, dataset: Dataset, config: AttackConfig, seed: int, on_epoch: OnEpoch, response: str = "none"
) -> AttackInputs:
    """Returns what an attack on a victim of this data set is given."""
    return AttackInputs(
        oracle=oracle,
        pool=load_pool(config, dataset),
        in_distribution=load_in_distribution(config, dataset, seed),
        classes=dataset.classes,
        build=partial(STUDENTS[config.students[0]], dataset.image_shape, dataset.classes),
        config=config,
        learning_rate=config.learning_rates[0],
        response=response,
        seed=seed,
        on_epoch=on_epoch,
        note=NOTES.__setitem__,
        on_progress=ignore,
    )


NOTES: dict[str, float | int | str] = {}


def figure(run: RunDirectory, dataset: Dataset, victim: str, config: AttackConfig, selection: str) -> str:
    """Runs one attack and returns its line."""
    make_repeatable(1001)
    NOTES.clear()
    predictors = []
    response = run.config.victim(victim).response
    with SealedOracle(OracleSpec(str(run.model(victim)), config.output, selection, 77)) as oracle:
        inputs = inputs_for(oracle, dataset, config, 1001, lambda epoch, predict: predictors.append(predict), response)
        attack = attack_of(config)
        attack.check(config, len(inputs.pool), len(inputs.in_distribution))
        started = time.monotonic()
        attack.run(inputs)
        seconds = time.monotonic() - started
        charged = oracle.charged
    labels = predictors[-1](dataset.test.images).argmax(axis=1)
    accuracy = float((labels == dataset.test.labels).mean())
    notes = ", ".join(
        f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}" for key, value in NOTES.items()
    )
    return f"{config.name:24} {victim:12} {selection:12} {charged:6} calls  {accuracy:.3f}  {seconds:4.0f} s  {notes}"


def main() -> None:
    own_process()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("victim")
    parser.add_argument("attacks", nargs="*")
    parser.add_argument("--selection", default="")
    given = parser.parse_args()
    run = RunDirectory.open(given.run)
    dataset = load_dataset(run.config.data)
    selection = given.selection or ("random" if run.config.victim(given.victim).defense == "cerberos" else "fixed")
    for config in recommended():
        if not given.attacks or config.name in given.attacks:
            print(figure(run, dataset, given.victim, config, selection), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
