"""`tinycerb prune`: what pruning would do, before anything is cut."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from tinycerb import file_names
from tinycerb.cli.console import plain_console
from tinycerb.cli.options import Data, Model, Overrides, Preset
from tinycerb.config.user_sources import Sources
from tinycerb.errors import UsageError
from tinycerb.processes.quiet_tensorflow import import_tensorflow


def prune(
    preset: Preset = None,
    model: Model = "",
    data: Data = "",
    overrides: Overrides = None,
    plan: Annotated[bool, typer.Option("--plan", help="Print the plan; nothing else is done here.")] = True,
) -> None:
    """Print the channel groups of a configuration's victims, with all layers that lose them together.

    Nothing is trained and nothing is cut; `tinycerb train` prunes inside training.
    """
    from tinycerb.config import given_keys, load_config
    from tinycerb.jobs.check_names import check_names
    from tinycerb.workflow.given_names import check_preset, check_sources
    from tinycerb.workflow.user_inputs import brings_own, fit_and_say, pin_inputs

    sources = Sources(model, data, "")
    if preset is None and not sources:
        raise UsageError("give a preset (tinycerb prune --plan demo) or the path of a .toml file")
    source = preset or "custom"
    if (Path(source) / file_names.CONFIG).is_file():
        # A run is as good: its configuration lies in it.
        source = str(Path(source) / file_names.CONFIG)
    check_preset(source)
    check_sources(sources)
    config = load_config(source, overrides or [], sources)
    check_names(config)
    given = given_keys(source, overrides or [])
    # What would not be trained is not planned.
    config, _ = pin_inputs(config, given) if brings_own(config) else fit_and_say(config, given)
    # It takes seconds to import.
    import_tensorflow()
    from tinycerb.compression.channel_plan import plan_channels
    from tinycerb.compression.masks import channels_to_keep
    from tinycerb.datasets import load_dataset
    from tinycerb.run.victim import victims_of
    from tinycerb.training.model_source import build_model

    dataset = load_dataset(config.data)
    for name, victim in victims_of(config).items():
        network = build_model(config, victim.defense, dataset)
        table = Table(title=f"{name}: {config.model.backbone}, {network.count_params():,} parameters")
        for column in ("channels", "kept", "made by", "carried by", "read by"):
            table.add_column(column, overflow="fold", justify="right" if column in ("channels", "kept") else "left")
        for group in plan_channels(network).groups:
            kept = channels_to_keep(group.channels, victim.config.channel_ratio, config.pruning.multiple)
            lists = ("\n".join(names) for names in (group.producers, group.followers, group.consumers))
            table.add_row(str(group.channels), str(kept), *lists)
        plain_console().print(table)
    typer.echo("nothing was cut; channel_ratio is set per victim, criterion and schedule under [pruning]")
