"""A victim with everything that its configuration's names stand for, looked up once."""

from collections.abc import Mapping
from dataclasses import dataclass

from tinycerb.answers.responses import Response, parse_response
from tinycerb.answers.selection import HEAD_SELECTIONS
from tinycerb.config import Config, VictimConfig
from tinycerb.defenses import answering_heads, defense_of, heads_in_file, whole_response
from tinycerb.defenses.base import Defense
from tinycerb.errors import UsageError
from tinycerb.run.victim_files import VictimFiles


@dataclass(frozen=True)
class HeadCounts:
    """How many heads a victim has.

    Attributes:
        learned: heads that learn the task.
        in_file: heads of its file, those that never answer themselves included.
        answering: heads that answer alone; 1 where all of them make one answer.
    """

    learned: int
    in_file: int
    answering: int


@dataclass(frozen=True)
class Victim:
    """A victim of a configuration.

    Attributes:
        config: what the configuration says of it.
        defense: its training part.
        response: what stands between its posterior and the answer: what its training part makes of several heads, then
            its own.
        response_text: the same, as text.
        heads: how many heads it has.
    """

    config: VictimConfig
    defense: Defense
    response: Response
    response_text: str
    heads: HeadCounts

    @property
    def name(self) -> str:
        """Its name in tables and paths."""
        return self.config.name

    @property
    def is_defended(self) -> bool:
        """Whether it has a defence, in training or in how it answers."""
        return self.config.is_defended

    @property
    def uses_owner_key(self) -> bool:
        """Whether it has anything from the owner key: teachers, or what its response hides."""
        return bool(self.defense.teachers) or self.response.uses_owner_key


@dataclass(frozen=True)
class RunVictim(Victim):
    """A victim of a run, which has files.

    Attributes:
        files: where they lie.
    """

    files: VictimFiles


def resolve_victim(config: VictimConfig) -> Victim:
    """Looks up all names of a victim.

    Raises:
        UsageError: an unknown name, a value out of range, or parts that do not fit each other.
    """
    defense = defense_of(config)
    HEAD_SELECTIONS[defense.selection]
    heads = HeadCounts(defense.heads, heads_in_file(defense), answering_heads(defense))
    if heads.answering > 1 and defense.selection == "fixed":
        raise UsageError(
            f"victims.{config.name}: selection 'fixed' always answers with head 0, so {heads.learned} heads "
            f"protect nothing; allowed: {', '.join(name for name in HEAD_SELECTIONS if name != 'fixed')}"
        )
    text = whole_response(defense, config)
    return Victim(config, defense, parse_response(text), text, heads)


def victims_of(config: Config) -> Mapping[str, Victim]:
    """Looks up all victims of a configuration, in its order.

    Raises:
        UsageError: as for `resolve_victim`.
    """
    return {victim.name: resolve_victim(victim) for victim in config.victims}
