"""A run that a command starts or takes up again, with everything that its user has said about it."""

from dataclasses import replace
from pathlib import Path

from tinycerb.advice.install import require_training
from tinycerb.compression.budget import parse_bytes
from tinycerb.config import Config, given_keys, load_config, user_sources
from tinycerb.config.user_sources import Sources, is_reference
from tinycerb.defenses.choice import with_defense
from tinycerb.errors import UsageError
from tinycerb.events import say
from tinycerb.jobs.check_names import check_names
from tinycerb.ownership.run_key import create_run, resume_with, short
from tinycerb.run.directory import RunDirectory
from tinycerb.workflow.given_names import check_preset, check_sources
from tinycerb.workflow.user_inputs import brings_own, pin_inputs


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
            say("no query pool: stealing will not be measured (--query-pool names the attacker's images)")
    run, made = create_run(config, out, force, inputs, owner)
    if made:
        say(f"owner key: {made} (keep it; hash {short(run.config.owner)})")
    return run


def _allow_code(model: str, resume: Path | None) -> None:
    if resume is None and (not model or is_reference(model)):
        raise UsageError("--allow-code is for a Keras file: --model FILE, or --resume RUN of such a run")
    warn_of_code(model or f"the model file of {resume}")
    user_sources.allow_code()


def warn_of_code(file: str) -> None:
    """Says in one line what --allow-code means."""
    say(f"warning: --allow-code: any code in {file} runs on this machine as you")


def with_budget(config: Config, flash: str, ram: str) -> Config:
    """Returns the configuration with a budget in bytes for every victim that is pruned.

    Raises:
        UsageError: a size that cannot be read, or no victim is pruned.
    """
    if not any(victim.is_pruned for victim in config.victims):
        raise UsageError("--flash and --ram prune, but no victim of this configuration has a channel_ratio above 0")
    limits = {
        "flash_bytes": parse_bytes(flash, "--flash") if flash else 0,
        "ram_bytes": parse_bytes(ram, "--ram") if ram else 0,
    }
    victims = (replace(victim, **limits) if victim.is_pruned else victim for victim in config.victims)
    return replace(config, victims=tuple(victims))
