"""Victims that share a trained network: they differ in what happens after it, and are not trained twice."""

from pathlib import Path

from tinycerb import file_names
from tinycerb.file_names import (
    BUDGET,
    FLOAT_FACTS,
    FLOAT_MODEL,
    OUT_OF_DISTRIBUTION,
    QUANTIZATION_AWARE_MODEL,
    TRAINING,
)
from tinycerb.run.victim import Victim
from tinycerb.seal.files import is_made, read_bytes, read_json, write_bytes, write_json

_FILES = (FLOAT_MODEL, FLOAT_FACTS, QUANTIZATION_AWARE_MODEL, OUT_OF_DISTRIBUTION, BUDGET, file_names.HISTORY)


def adopt_training(victim: Victim, twin: Path, folder: Path) -> None:
    """Copies what the twin's training has left; `training.json`, which says that all is there, comes last.

    Args:
        victim: the one that takes over.
        twin: folder of the victim that was trained.
        folder: the victim's own folder.
    """
    for file in _FILES:
        if is_made(twin / file):
            write_bytes(folder / file, read_bytes(twin / file))
    write_json(
        folder / TRAINING, {**read_json(twin / TRAINING), "victim": victim.name, "selection": victim.defense.selection}
    )
