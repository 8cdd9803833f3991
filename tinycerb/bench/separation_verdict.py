"""What a separation promises: thieves with such images will, may, or will not be misdirected.

Thresholds come from pairs of separation and protection that were measured on procedural families and on the defender's
half of the photographs; pairs of pools that judge a defence only check them.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tinycerb.atomic import read_json
from tinycerb.config.typed_tables import build
from tinycerb.reports.metrics import Separation

WORDS = ("will not", "may", "will")
# Points of clone accuracy below the undefended: fewer than the first may be chance, from the second on it protects.
POINTS = (4.0, 12.0)
# An attack that copies less than so many points above chance has nothing to lose.
_FEWEST_LEARNED = 20.0
_PAIRS = "separation_pairs.json"
# Pairs that a threshold keeps away from one of another word.
_MARGIN = 2


@dataclass(frozen=True)
class Pair:
    """A pool and a task, measured.

    Attributes:
        task: what the victim does.
        pool: what the attacker asks about.
        calibrates: whether the pool belongs to no judge: a procedural family, or the defender's half.
        auroc_confidence: see `measure_separation`.
        auroc_features: likewise.
        equal_labels: share of the pool on which the misdirected victim gives the undefended one's label.
        undefended_clone: accuracy of the clone of the undefended victim.
        misdirected_clone: of that of the misdirected one.
        chance: accuracy of a guess.
    """

    task: str
    pool: str
    calibrates: bool
    auroc_confidence: float
    auroc_features: float
    equal_labels: float
    undefended_clone: float
    misdirected_clone: float
    chance: float

    @property
    def separation(self) -> float:
        """As `separation_of`."""
        return max(self.auroc_confidence, self.auroc_features)

    @property
    def points(self) -> float:
        """Points of clone accuracy that misdirection takes."""
        return 100 * (self.undefended_clone - self.misdirected_clone)

    @property
    def outcome(self) -> int:
        """The place in `WORDS` of what has happened."""
        return int(np.searchsorted(POINTS, self.points, side="right"))

    @property
    def says_something(self) -> bool:
        """Whether the attack has copied anything that could be protected."""
        return 100 * (self.undefended_clone - self.chance) >= _FEWEST_LEARNED


@dataclass(frozen=True)
class _Table:
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Thresholds:
    """What measured pairs leave no doubt of.

    Attributes:
        will_not: up to here, no thief was ever misdirected.
        will: from here on, all were. Between both: may.
    """

    will_not: float
    will: float

    def judge(self, separation: float) -> int:
        """Returns the place in `WORDS` of what a separation promises."""
        return 0 if separation <= self.will_not else 2 if separation >= self.will else 1


def separation_of(found: Separation) -> float:
    """The better one of both scores: a defence may learn whichever tells the pool from the task."""
    return max(found["auroc_confidence"], found["auroc_features"])


@cache
def measured_pairs() -> tuple[Pair, ...]:
    """Returns the pairs that come with the package."""
    return build(_Table, read_json(Path(__file__).with_name(_PAIRS)), _PAIRS).pairs


def pack_pairs(pairs: Sequence[Pair]) -> str:
    """Returns the text of the file that `measured_pairs` reads."""
    return json.dumps({"pairs": [asdict(pair) for pair in pairs]}, indent=1) + "\n"


def thresholds_of(pairs: Sequence[Pair]) -> Thresholds:
    """Returns the thresholds that no calibrating pair contradicts.

    Points of protection scatter: the two pairs next to one of another word leave a margin. What lies between the
    thresholds was not measured, or measured both ways.
    """
    used = sorted((pair for pair in pairs if pair.calibrates and pair.says_something), key=lambda pair: pair.separation)
    outcomes = [pair.outcome for pair in used]
    never, always = _leading(outcomes, 0), _leading(outcomes[::-1], 2)
    return Thresholds(
        will_not=used[never - 1 - _MARGIN].separation if never > _MARGIN else 0.0,
        will=used[len(used) - always + _MARGIN].separation if always > _MARGIN else math.inf,
    )


@dataclass(frozen=True)
class LeftOut:
    """How thresholds of all other tasks judge the pairs of one.

    Attributes:
        task: the one that was left out.
        pairs: how many it has.
        wrong: how many of them are told `will` or `will not`, and it is another word.
        promised_too_much: how many of these get more than they should.
        unsure: how many are told `may`.
    """

    task: str
    pairs: int
    wrong: int
    promised_too_much: int
    unsure: int


def leave_tasks_out(pairs: Sequence[Pair]) -> list[LeftOut]:
    """Returns what thresholds are worth for a task that nobody has measured."""
    rows = []
    for task in dict.fromkeys(pair.task for pair in pairs):
        thresholds = thresholds_of([pair for pair in pairs if pair.task != task])
        left = [pair for pair in pairs if pair.task == task and pair.says_something]
        told = [(thresholds.judge(pair.separation), pair.outcome) for pair in left]
        sure = [(word, outcome) for word, outcome in told if word != WORDS.index("may")]
        wrong = [word > outcome for word, outcome in sure if word != outcome]
        rows.append(LeftOut(task, len(left), len(wrong), sum(wrong), len(told) - len(sure)))
    return rows


@cache
def thresholds() -> Thresholds:
    """Returns the thresholds of the pairs that come with the package."""
    return thresholds_of(measured_pairs())


def judge(found: Separation) -> str:
    """Returns one of `WORDS`."""
    return WORDS[thresholds().judge(separation_of(found))]


def _leading(outcomes: Sequence[int], wanted: int) -> int:
    """How many of the first ones are `wanted`."""
    return next((place for place, outcome in enumerate(outcomes) if outcome != wanted), len(outcomes))
