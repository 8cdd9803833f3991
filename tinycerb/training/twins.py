"""Victims that share a trained network: they differ in what happens after it, and are not trained twice."""

from pathlib import Path

from tinycerb.config import Config
from tinycerb.datasets.images import FINGERPRINTS
from tinycerb.defenses import defense_of
from tinycerb.seal.files import is_made, read_bytes, read_json, write_bytes, write_json
from tinycerb.training.artefacts import FLOAT_FACTS, FLOAT_MODEL, MODEL, SUMMARY

BUDGET = "budget.json"
_FILES = (FLOAT_MODEL, FLOAT_FACTS, MODEL, FINGERPRINTS, BUDGET, "history.csv")


def adopt_training(config: Config, name: str, twin: Path, folder: Path) -> None:
    """Copies what the twin's training has left; `training.json`, which says that all is there, comes last.

    Args:
        config: the run's configuration.
        name: the victim that takes over.
        twin: folder of the victim that was trained.
        folder: the victim's own folder.
    """
    for file in _FILES:
        if is_made(twin / file):
            write_bytes(folder / file, read_bytes(twin / file))
    selection = defense_of(config.victim(name)).selection
    write_json(folder / SUMMARY, {**read_json(twin / SUMMARY), "victim": name, "selection": selection})
