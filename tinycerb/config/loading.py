"""Presets and TOML files to a configuration."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tinycerb.bounded.texts import parse_toml
from tinycerb.config.layers import apply_override, layers_of, merge
from tinycerb.config.renamed import with_current_keys
from tinycerb.config.run_config import Config
from tinycerb.config.typed_tables import build
from tinycerb.config.user_sources import USER, Sources, absolute
from tinycerb.file_names import ENVIRONMENT
from tinycerb.plugins import loaded_plugins, plugin_name, require_plugins


def load_config(source: str, overrides: Sequence[str] = (), sources: Sources | None = None) -> Config:
    """Loads a preset by name or a TOML file by path.

    Args:
        source: a preset's name, or a path that ends in `.toml`. A file may start from another one with
            `extends = "demo"`: its tables are merged over it, its arrays of tables replace whole arrays.
        overrides: `section.key=value`, the value in TOML syntax; bare words count as strings.
        sources: data, model and query pool in place of those named there. While an attack has no query pool there
            are no attacks: some rows of a table without the others would mislead.

    Raises:
        UsageError: unknown preset, key or value; the message names the nearest allowed one.
        NotLoaded: it names plugins that are not loaded.
        EnvironmentProblem: the file cannot be read.
    """
    table: dict[str, object] = {}
    for layer in layers_of(source):
        table = merge(table, layer.table)
    for override in overrides:
        apply_override(table, override)
    config = build(Config, (sources or Sources()).put_into(table), where="config")
    # The configuration that a run was started with is as much a stranger's as the run.
    run = Path(source).parent if (Path(source).parent / ENVIRONMENT).is_file() else None
    plugins = [absolute(each) if each.endswith(".py") else each for each in config.plugins]
    require_plugins(plugins, source, run)
    named = {plugin_name(each) for each in plugins}
    others = (plugin.given for plugin in loaded_plugins() if plugin.name not in named)
    config = replace(config, plugins=(*plugins, *others))
    if USER in (config.data.name, config.model.backbone) and "owner" not in given_keys(source, overrides):
        config = replace(config, owner="")
    return config if all(attack.query_pool for attack in config.attacks) else replace(config, attacks=())


def given_keys(source: str, overrides: Sequence[str] = ()) -> frozenset[str]:
    """Returns what the user has set: `section.key` in files of their own and by --set, `attacks` for arrays of tables.

    Args:
        source: as for `load_config`; what a built-in preset says is not among them.
        overrides: likewise.
    """
    keys = {override.partition("=")[0] for override in overrides}
    for layer in layers_of(source):
        if layer.of_the_user:
            for section, value in layer.table.items():
                keys |= {f"{section}.{key}" for key in value} if isinstance(value, dict) else {section}
    return frozenset(keys)


def parse_config(text: str, where: str) -> Config:
    """Builds a configuration from TOML text, keys of older runs included; errors as `load_config`."""
    return build(Config, with_current_keys(parse_toml(text, where), tell=False), where=where)
