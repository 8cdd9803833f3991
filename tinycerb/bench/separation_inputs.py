"""The undefended network and its data, as a user names them: a run, or a file and what it was trained with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tinycerb.config import DataConfig
from tinycerb.config.user_sources import USER, absolute
from tinycerb.datasets import DATASETS, load_dataset
from tinycerb.datasets.images import Dataset
from tinycerb.errors import UsageError
from tinycerb.run.directory import RunDirectory
from tinycerb.runtimes.model_artifact import ModelArtifact, open_artifact


@dataclass(frozen=True)
class SeparationInputs:
    """What separation is measured with.

    Attributes:
        undefended: the network.
        dataset: its data.
        defended: files that are taught what is not the task, by the victim's name; none beside a single file.
    """

    undefended: ModelArtifact
    dataset: Dataset
    defended: Mapping[str, ModelArtifact] = field(default_factory=dict)


def separation_inputs(where: Path, data: str = "") -> SeparationInputs:
    """Opens a run, or a `.tflite` file with its data.

    Raises:
        UsageError: no run and no file, a file without data, or data beside a run, which has its own.
        EnvironmentProblem: something is missing or damaged.
    """
    if where.suffix == ".tflite":
        if not data:
            raise UsageError(f"{where} does not say what it was trained with; give --data DATA")
        named = DataConfig(data) if data in DATASETS else DataConfig(USER, absolute(data), validation_images=0)
        return SeparationInputs(open_artifact(where), load_dataset(named))
    run = RunDirectory.open(where)
    if data:
        raise UsageError(f"--data is for a .tflite file; the run {where} has its own data")
    baseline = run.config.bench.baseline
    if not run.model(baseline).is_file():
        raise UsageError(f"the undefended victim {baseline} is not converted yet; tinycerb convert {where}")
    taught = {
        name: open_artifact(run.model(name))
        for name, victim in run.victims.items()
        if victim.defense.uses_out_of_distribution and run.model(name).is_file()
    }
    return SeparationInputs(open_artifact(run.model(baseline)), load_dataset(run.config.data), taught)
