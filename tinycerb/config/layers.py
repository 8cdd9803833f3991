"""Configurations as tables: built-in presets and files, each laid over those that it extends."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from tinycerb.bounded.files import read_text
from tinycerb.bounded.texts import check_values, parse_toml
from tinycerb.config.renamed import current_key, with_current_keys
from tinycerb.config.user_sources import anchor
from tinycerb.errors import EnvironmentProblem, UsageError, suggest
from tinycerb.presets import current_name, preset_names, read_preset


@dataclass(frozen=True)
class Layer:
    """One file's table: what it says over those that it extends.

    Attributes:
        table: as TOML has it, paths counted from where the file is.
        of_the_user: whether it is a file of the user's, not a built-in preset.
    """

    table: dict[str, object]
    of_the_user: bool


def layers_of(source: str) -> list[Layer]:
    """Reads a preset or a file with everything that it extends, the one that extends all others last.

    Args:
        source: a preset's name, or a path that ends in `.toml`.

    Raises:
        UsageError: unknown preset, no TOML, or files that extend each other in a circle.
        EnvironmentProblem: a file cannot be read.
    """
    return _read(source, ())


def _read(source: str, extended_by: tuple[str, ...]) -> list[Layer]:
    if source in extended_by:
        raise UsageError(f"extends goes round in a circle: {' -> '.join((*extended_by, source))}")
    source = current_name(source)
    if source.endswith(".toml"):
        try:
            text = read_text(Path(source))
        except OSError as error:
            raise EnvironmentProblem(f"cannot read the configuration {source}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"{source} is not valid TOML: it is not UTF-8 text ({error.reason})") from error
    else:
        names = preset_names()
        if source not in names:
            raise UsageError(
                f"unknown preset {source!r}{suggest(source, names)}; presets: {', '.join(names)}; "
                "a configuration of your own is given by a path that ends in .toml"
            )
        text = read_preset(source)
    # Paths in a file count from where the file is.
    table = with_current_keys(anchor(parse_toml(text, source), str(Path(source).parent)), tell=True)
    base = table.pop("extends", None)
    layer = Layer(table, source.endswith(".toml"))
    if base is None:
        return [layer]
    if not isinstance(base, str):
        raise UsageError(f"{source}: extends is {base!r}; expected a preset's name or the path of a .toml file")
    if base.endswith(".toml"):
        # Beside the file that names it.
        base = str(Path(source).parent / base)
    return [*_read(base, (*extended_by, source)), layer]


def merge(base: dict[str, object], over: dict[str, object]) -> dict[str, object]:
    """Returns a table with another one laid over it; tables are merged, all else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def apply_override(table: dict[str, object], override: str) -> None:
    """Puts `section.key=value` into a table; in an array of tables, `attacks.NAME.key=value` into the one of that name.

    Raises:
        UsageError: it is nothing of that form, or a section is not a table.
    """
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise UsageError(f"--set {override!r}: expected section.key=value, e.g. --set training.dense_epochs=3")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        # A bare word, which is no TOML.
        value = text
    check_values(value, f"--set {key}")
    *sections, last = key.split(".")
    if sections:
        last = current_key(sections[0], last)
    else:
        value = with_current_keys({last: value}, tell=True)[last]
    found: object = table
    for section in sections:
        found = _section(found, section, override)
    if not isinstance(found, dict):
        names = ", ".join(_by_name(found)) if isinstance(found, list) else ""
        way = f"name one of its entries: {'.'.join(sections)}.NAME.{last} ({names})" if names else "edit the TOML file"
        raise UsageError(f"--set {override!r}: {'.'.join(sections)!r} is not a table of single values; {way}")
    found[last] = value


def _section(table: object, name: str, override: str) -> object:
    if isinstance(table, dict):
        return table.setdefault(name, {})
    entries = _by_name(table) if isinstance(table, list) else {}
    if name not in entries:
        known = ", ".join(entries) or "none"
        raise UsageError(f"--set {override!r}: there is no {name!r}{suggest(name, entries)}; known: {known}")
    return entries[name]


def _by_name(entries: list[object]) -> dict[str, object]:
    return {str(entry["name"]): entry for entry in entries if isinstance(entry, dict) and "name" in entry}
