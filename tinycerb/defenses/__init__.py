"""Defences: one file each, found by name."""

from tinycerb.answers.responses import check_heads, combined_by, combiner_of, parse_response, response_text
from tinycerb.config import VictimConfig
from tinycerb.config.typed_tables import build
from tinycerb.defenses import (  # noqa: F401  (importing a defence registers it)
    am,
    cerberos,
    divqat,
    edm,
    ini,
    misdirection,
    outlier_exposure,
    undefended,
)
from tinycerb.defenses.base import Architecture, Defense, answering_heads, heads_in_file
from tinycerb.defenses.random_head import WithRandomHead
from tinycerb.defenses.registry import DEFENSES

__all__ = [
    "DEFENSES", "Architecture", "Defense", "answering_heads", "defense_of", "heads_in_file", "whole_response",
]  # fmt: skip


def defense_of(victim: VictimConfig) -> Defense:
    """Builds a victim's defence from its options, with the random head that the response `grad_head` reads.

    Raises:
        UsageError: unknown defence, unknown option or a value out of range; a response that does not fit its heads.
    """
    defense: Defense = build(DEFENSES[victim.defense], victim.options, where=f"victims.{victim.name}.options")
    given = combiner_of(parse_response(victim.response))
    if given is not None and given.random_heads:
        defense = WithRandomHead(defense, response_text(given))
    response = whole_response(defense, victim)
    check_heads(parse_response(response), heads_in_file(defense), combined_by(defense.architecture.combiner or "none"))
    return defense


def whole_response(defense: Defense, victim: VictimConfig) -> str:
    """Returns a victim's whole response: first what its training part makes of several heads, then its own."""
    if not defense.architecture.combiner or combined_by(victim.response):
        return victim.response
    parts = [defense.architecture.combiner, *([] if victim.response == "none" else [victim.response])]
    return "+".join(parts)
