"""One run directory per victim seed: the configuration's own seed in the matrix's directory, the others inside it."""

import shutil
from dataclasses import replace
from pathlib import Path

from tinycerb import file_names
from tinycerb.config import Config
from tinycerb.run.directory import RunDirectory


def config_of_seed(config: Config, seed: int) -> Config:
    """Returns the configuration that trains victims with one seed alone."""
    return config if seed == config.seed else replace(config, seed=seed, bench=replace(config.bench, victim_seeds=()))


def seed_runs(root: RunDirectory, create: bool = True) -> list[RunDirectory]:
    """Returns the runs of all victim seeds, that of the configuration's own seed first.

    Args:
        root: the matrix's directory, which is itself the run of the configuration's seed.
        create: whether runs that do not exist yet are made; otherwise they are only described.
    """
    config = root.config
    others = [seed for seed in config.bench.victim_seeds if seed != config.seed]
    return [root, *(_run(root.path / "seeds" / str(seed), config_of_seed(config, seed), create) for seed in others)]


def _run(path: Path, config: Config, create: bool) -> RunDirectory:
    if not create or (path / file_names.CONFIG).exists():
        return RunDirectory(path, config)
    # Half made, by a process that was killed: nothing of worth is in it before its configuration is.
    shutil.rmtree(path, ignore_errors=True)
    return RunDirectory.create(config, path, force=False)
