"""Writes the tables of options and of names into the documentation: `python -m tests.docs.option_tables`.

A page says where: `<!-- options of responses -->`, or `<!-- options of attacks: jbda, jbda_tr -->` for some of them, or
`<!-- list of students -->`; what stands between that line and `<!-- end -->` is replaced.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING
from pathlib import Path
from typing import get_type_hints

from tinycerb.answers.responses import RESPONSES
from tinycerb.attacks import ATTACKS
from tinycerb.cli import app  # noqa: F401  (registers the lists)
from tinycerb.cli.listable import LISTINGS
from tinycerb.config import AttackConfig, Config, VictimConfig
from tinycerb.defenses import DEFENSES
from tinycerb.options import Option, options_of
from tinycerb.registry import Registry
from tinycerb.training.augmentation import AUGMENTATIONS
from tinycerb.training.optimizers import OPTIMIZERS

DOCS = Path(__file__).parents[2] / "docs"
MARKS = re.compile(r"(<!-- (options|list) of ([a-z ]+?)(?:: ([\w, ]+))? -->\n).*?(<!-- end -->)", re.DOTALL)


def _registered(registry: Registry) -> dict[str, type]:
    return {name: registry[name] for name in registry}


def _sections() -> dict[str, type]:
    return {name: kind for name, kind in get_type_hints(Config).items() if hasattr(kind, "__dataclass_fields__")}


KINDS: Mapping[str, Callable[[], Mapping[str, type]]] = {
    "training parts": lambda: _registered(DEFENSES),
    "responses": lambda: _registered(RESPONSES),
    "attacks": lambda: _registered(ATTACKS),
    "optimizers": lambda: _registered(OPTIMIZERS),
    "augmentations": lambda: _registered(AUGMENTATIONS),
    "the run": lambda: {"": Config},
    "sections": _sections,
    "victims": lambda: {"": VictimConfig},
    "attack entries": lambda: {"": AttackConfig},
}


def with_tables(text: str) -> str:
    """Returns a page with its tables as they must be."""
    return MARKS.sub(lambda mark: mark[1] + _table(*mark.group(2, 3, 4)) + mark[5], text)


def _table(what: str, kind: str, names: str | None) -> str:
    if what == "list":
        head = ("name", "what")
        rows = [(f"`{entry.name}`", entry.summary) for entry in LISTINGS[kind].entries()]
    else:
        chosen = KINDS[kind]()
        chosen = {name: chosen[name] for name in names.split(", ")} if names else chosen
        head = (*(("of",) if "" not in chosen else ()), "option", "default", "allowed", "meaning")
        rows = [
            (*((f"`{name}`",) if name else ()), *_cells(option))
            for name, owner in chosen.items()
            for option in options_of(owner).values()
        ]
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _cells(option: Option) -> tuple[str, ...]:
    default = f"`{option.default_text}`" if option.default_text else '`""`'
    if option.default is MISSING:
        default = option.default_text
    elif option.type == "table":
        default = "`{}`"
    elif option.type.startswith("list"):
        default = f"`[{option.default_text}]`"
    return f"`{option.name}`", default, option.allowed, option.limits.meaning


def main() -> None:
    """Writes all pages."""
    for page in sorted(DOCS.glob("*.md")):
        page.write_text(with_tables(page.read_text()))


if __name__ == "__main__":
    main()
