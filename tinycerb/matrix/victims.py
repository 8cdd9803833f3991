"""What each victim does for its owner and what it costs, over all victim seeds."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from tinycerb import file_names
from tinycerb.bench.device_costs import device_costs
from tinycerb.bench.statistics import difference_estimate, share_estimate
from tinycerb.reports.matrix.results import VictimCost
from tinycerb.run.directory import RunDirectory
from tinycerb.runtimes.model_json import read_model_json
from tinycerb.seal.files import is_made, read_json

_MEANS = ("float_accuracy", "accuracy_worst_head", "flip_rate", "calibration_error", "flash_bytes", "arena_bytes")


def victim_figures(runs: Sequence[RunDirectory], name: str) -> VictimCost:
    """Returns utility and cost of a victim; figures are means over the seeds that it is measured on.

    `utility_loss` is the baseline's expected accuracy less the victim's, on equal seeds. `device` is what
    `tinycerb bench cost` has measured, None if it was not run. Fields are None where no seed is measured yet.
    """
    config, baseline = runs[0].config.victim(name), runs[0].config.bench.baseline
    measured = {run.config.seed: figures for run in runs if (figures := _figures(run, name))}
    reference = {run.config.seed: figures for run in runs if (figures := _figures(run, baseline))}
    found: VictimCost = {
        "defense": config.defense,
        "defense_options": dict(config.options),
        "response": config.response,
        "channel_ratio": config.channel_ratio,
        "seeds": list(measured),
        "accuracy_per_seed": [figures["accuracy"] for figures in measured.values()],
        "accuracy": None,
        "utility_loss": None,
        "device": device_costs(runs[0], name),
        "float_accuracy": None,
        "accuracy_worst_head": None,
        "flip_rate": None,
        "calibration_error": None,
        "flash_bytes": None,
        "arena_bytes": None,
        "heads": None,
        "selection": None,
    }
    if not measured:
        return found
    images = next(iter(measured.values()))["test_images"]
    both = [seed for seed in measured if seed in reference]
    found["accuracy"] = share_estimate(found["accuracy_per_seed"], images).table()
    if both and name != baseline:
        ours, theirs = ([table[seed]["accuracy"] for seed in both] for table in (measured, reference))
        found["utility_loss"] = difference_estimate(theirs, ours, images).table()
    for key in _MEANS:
        values = [value for figures in measured.values() if (value := figures[key]) is not None]
        found[key] = float(np.mean(values)) if values else None
    first = next(iter(measured.values()))
    found["heads"], found["selection"] = first["heads"], first["selection"]
    return found


class _Figures(TypedDict):
    """Those of one seed."""

    accuracy: float
    float_accuracy: float
    accuracy_worst_head: float
    flip_rate: float
    calibration_error: float
    test_images: int
    flash_bytes: int
    arena_bytes: int | None
    heads: int
    selection: str


def _figures(run: RunDirectory, name: str) -> _Figures | None:
    folder = run.victim(name)
    if not is_made(folder / file_names.MEASUREMENTS):
        return None
    measurements, training = read_json(folder / file_names.MEASUREMENTS), read_json(folder / file_names.TRAINING)
    accuracy = measurements["accuracy"]
    return {
        "accuracy": accuracy["accuracy_expected"],
        "float_accuracy": float(np.mean(training["float_accuracy_per_head"])),
        "accuracy_worst_head": accuracy["accuracy_worst_head"],
        "flip_rate": accuracy["flip_rate"],
        "calibration_error": accuracy["calibration_error"],
        "test_images": accuracy["test_images"],
        "flash_bytes": read_model_json(folder / file_names.MODEL_JSON).file_bytes,
        "arena_bytes": measurements["arena"]["arena_bytes"] if measurements["arena"] else None,
        "heads": training["heads"],
        "selection": training["selection"],
    }
