"""Options that several commands share.

Commands import what they work with in their bodies: `--help` must answer at once.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinycerb.config.user_sources import Sources
from tinycerb.errors import UsageError

if TYPE_CHECKING:
    from tinycerb.config import Config
    from tinycerb.run.directory import RunDirectory

Preset = Annotated[
    str | None,
    typer.Argument(help="A preset (demo, custom, fortress, smoke) or the path of a .toml file.", show_default=False),
]
Model = Annotated[
    str,
    typer.Option(
        metavar="MODEL",
        help="Your network: package.module:build, or a saved tf_keras model (.h5, .hdf5, .keras, SavedModel).",
        show_default=False,
    ),
]
Data = Annotated[
    str,
    typer.Option(
        metavar="DATA",
        help="Your images: a .npz file, package.module:load, or a folder of images per class.",
        show_default=False,
    ),
]
QueryPool = Annotated[
    str,
    typer.Option(
        metavar="POOL",
        help="The attacker's images, unlabelled: as for --data, or a pool's name. --data without it: no attacks.",
        show_default=False,
    ),
]
Flash = Annotated[
    str,
    typer.Option(
        metavar="SIZE",
        help="Prune until the int8 file fits, e.g. 48KB (1 KB = 1024 bytes). For every victim that is pruned.",
        show_default=False,
    ),
]
Ram = Annotated[
    str,
    typer.Option(metavar="SIZE", help="Prune until the arena of TFLite Micro fits, e.g. 24KB.", show_default=False),
]
DefenseName = Annotated[
    str,
    typer.Option(
        "--defense",
        metavar="DEFENCE",
        help="In place of the preset's: NAME[,k=v][+RESPONSE[,k=v]], see `tinycerb defenses list`.",
        show_default=False,
    ),
]
Owner = Annotated[
    str,
    typer.Option(
        metavar="KEY",
        help="Your owner key's file (`tinycerb ownership new`), or public: no key, anybody's to repeat. Default: a "
        "preset's word, or for what is yours a new key beside the run.",
        show_default=False,
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a value, e.g. --set training.dense_epochs=5."),
]
Out = Annotated[
    Path | None,
    typer.Option(help="Directory of the new run. Default: runs/<time>-<name>-<hash>.", show_default=False),
]
Force = Annotated[bool, typer.Option("--force", help="Delete an older run at --out first.")]
Resume = Annotated[
    Path | None,
    typer.Option("--resume", metavar="RUN", help="Go on with this run.", show_default=False),
]
Jobs = Annotated[
    int,
    typer.Option("--jobs", "-j", min=0, max=256, help="Tasks side by side. 0: one per core.", envvar="TINYCERB_JOBS"),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
AllowCode = Annotated[
    bool,
    typer.Option("--allow-code", help="Open a Keras file though code in it will run: you trust whoever made it."),
]
ExistingRun = Annotated[Path, typer.Argument(help="A run directory.", show_default=False)]


def new_or_resumed_run(
    preset: str | None,
    overrides: list[str] | None,
    out: Path | None,
    force: bool,
    resume: Path | None,
    sources: Sources,
    flash: str = "",
    ram: str = "",
    defense: str = "",
    allow_code: bool = False,
    owner: str = "",
) -> RunDirectory:
    """Creates a run from a preset (`custom` where only sources are given), or opens the one to resume.

    Raises:
        UsageError: both or neither are given, the preset is wrong, or what the user brings along does not fit.
        EnvironmentProblem: what the user brings along is missing or corrupt.
    """
    from tinycerb.advice.install import require_training
    from tinycerb.cli.given_names import check_preset, check_sources
    from tinycerb.cli.own_inputs import brings_own, pin_inputs
    from tinycerb.config import given_keys, load_config
    from tinycerb.defenses.choice import with_defense
    from tinycerb.jobs.check_names import check_names
    from tinycerb.ownership.run_key import create_run, resume_with, short
    from tinycerb.run.directory import RunDirectory

    require_training("training")
    if preset is None and resume is None and sources:
        preset = "custom"
    if allow_code:
        _allow_code(sources.model, resume)
    if (preset is None) == (resume is None):
        raise UsageError("give either a preset (tinycerb run demo) or --resume RUN")
    if resume is not None:
        if overrides or out or force or sources or flash or ram or defense:
            raise UsageError(
                "--resume takes the run as it was configured: leave out --set, --out, --force, --model, --data, "
                "--query-pool, --flash, --ram and --defense"
            )
        run = RunDirectory.open(resume)
        resume_with(run, owner)
        return run
    check_preset(str(preset))
    check_sources(sources)
    config = load_config(str(preset), overrides or [], sources)
    if defense:
        config = with_defense(config, defense)
    if flash or ram:
        config = with_budget(config, flash, ram)
    check_names(config)
    inputs = None
    if brings_own(config):
        config, inputs = pin_inputs(config, given_keys(str(preset), overrides or []))
        if not config.attacks:
            told = "no query pool: stealing will not be measured (--query-pool names the attacker's images)"
            typer.secho(told, err=True)
    run, made = create_run(config, out, force, inputs, owner)
    if made:
        typer.secho(f"owner key: {made} (keep it; hash {short(run.config.owner)})", err=True)
    return run


def _allow_code(model: str, resume: Path | None) -> None:
    from tinycerb.config import user_sources as sources

    if resume is None and (not model or sources.is_reference(model)):
        raise UsageError("--allow-code is for a Keras file: --model FILE, or --resume RUN of such a run")
    warn_of_code(model or f"the model file of {resume}")
    sources.allow_code()


def warn_of_code(file: str) -> None:
    """Says in one line what --allow-code means."""
    typer.secho(f"warning: --allow-code: any code in {file} runs on this machine as you", fg="yellow", err=True)


def with_budget(config: Config, flash: str, ram: str) -> Config:
    """Returns the configuration with a budget in bytes for every victim that is pruned.

    Raises:
        UsageError: a size that cannot be read, or no victim is pruned.
    """
    from tinycerb.compression.budget import parse_bytes

    if not any(victim.is_pruned for victim in config.victims):
        raise UsageError("--flash and --ram prune, but no victim of this configuration has a channel_ratio above 0")
    limits = {
        "flash_bytes": parse_bytes(flash, "--flash") if flash else 0,
        "ram_bytes": parse_bytes(ram, "--ram") if ram else 0,
    }
    victims = (replace(victim, **limits) if victim.is_pruned else victim for victim in config.victims)
    return replace(config, victims=tuple(victims))
