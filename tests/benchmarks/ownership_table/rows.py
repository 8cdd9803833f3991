"""The rows of a table, smallest first: clones, independent models, removals, evasions, and other defences."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from tests.benchmarks.ownership_table.subject import (
    ASSETS,
    BATCH,
    CONTROL,
    UNDEFENDED,
    Predict,
    Subject,
    Target,
    of_network,
)
from tinycerb.atomic import read_json
from tinycerb.attacks import STUDENTS, attack_of, knows_key
from tinycerb.bench.cell import load_pool, threat_class
from tinycerb.config import AttackConfig, Config, load_config
from tinycerb.errors import UsageError
from tinycerb.training.setup import make_repeatable
from tinycerb.verification.evasions import EVASIONS, evading
from tinycerb.verification.removals import REMOVALS, Thief, removal_of
from tinycerb.verification.sequential import log_e_values
from tinycerb.verification.verdict import judge

Part = TypeVar("Part")
_LEVEL, _STRICT = 1e-3, 1e-6
# Batches in which the number of questions until 1e-6 is looked for.
_SHORT = 100
_OWN_IMAGES = 5000
_REPEATED = "label-only"
# Against other defences, too: labels, and posteriors, for answers that keep the label hide their mark in the rest.
_OF_OTHERS = (_REPEATED, "knockoff")


@dataclass(frozen=True)
class Row:
    """A row.

    Attributes:
        name: unique, and its file's.
        seconds: of one core, about.
        make: computes it.
    """

    name: str
    seconds: float
    make: Callable[[], dict[str, object]]


def compared(target: Target, predict: Predict) -> dict[str, object]:
    """Returns what a suspect shows, for its labels of uint8 images."""
    questions, expected = target.questions, target.expected
    said = predict(questions.images)
    rates = np.array([target.p0[family] for family in questions.families])[questions.kinds]
    agreed, drawn = said == expected, questions.at_random
    until = []
    for start in range(0, len(questions), _SHORT):
        passed = log_e_values(agreed[start : start + _SHORT], rates[start : start + _SHORT]) >= -np.log(_STRICT)
        until.append(int(passed.argmax()) + 1 if passed.any() else _SHORT + 1)
    verdict = judge(said[:BATCH], expected[:BATCH], questions.part(0, BATCH), target.said, target.p0, _LEVEL)
    return {
        "accuracy": round(target.subject.accuracy(predict), 4),
        "agreement_drawn": round(float(agreed[drawn].mean()), 4),
        "agreement_sure": round(float(agreed[~drawn].mean()), 4),
        "agreement_by_kind": {
            name: round(float(agreed[questions.kinds == kind].mean()), 3)
            for kind, name in enumerate(questions.families)
        },
        "p0": {name: round(rate, 4) for name, rate in target.p0.items()},
        "p_by_population": verdict.p_population,
        "p_by_secret": verdict.p_secret,
        "questions_until_strict": float(np.median(until)),
        "share_within_50": round(float((np.array(until) <= 50).mean()), 3),
        "verdict": verdict.verdict,
    }


def attacks_of(config: Config) -> list[AttackConfig]:
    """The attacks of a table: all but those that have stolen the key."""
    return [attack for attack in config.attacks if not knows_key(attack_of(attack))]


def thief_of(subject: Subject, threat: str, attacks: list[AttackConfig]) -> tuple[Thief, str, float]:
    """Whoever has the best clone of one network that there is a row of, the attack that made it, and its accuracy."""
    rows = {attack.name: subject.folder / f"{row_name(attack, 1)}.json" for attack in attacks if attack.members == 1}
    of_class = [attack for attack in attacks if threat_class(attack) == threat and attack.name in rows]
    found = {attack.name: read_json(rows[attack.name]) for attack in of_class if rows[attack.name].exists()}
    best_first = sorted(
        (each for each in of_class if each.name in found), key=lambda each: -found[each.name]["accuracy"]
    )
    stolen = ((each, subject.clone(subject.protected, each, 1)) for each in best_first)
    # Some attacks train two where one is configured.
    of_one = next(((each, clone) for each, clone in stolen if len(clone.members) == 1), None)
    if of_one is None:
        raise UsageError(f"{subject.folder} has no row of a {threat} clone of one network; make those rows first")
    attack, clone = of_one
    dataset = subject.dataset
    height, width, channels = dataset.image_shape
    own = dataset.validation.images[:_OWN_IMAGES]
    pool = load_pool(attack, dataset)
    pool = pool[: attack.budget or len(pool)]
    thief = Thief(
        clone=clone.members[0],
        pool=pool,
        pool_labels=subject.answers(attack.name, pool),
        own=own,
        victim_labels=subject.answers("own", own),
        true_labels=dataset.validation.labels[:_OWN_IMAGES],
        families=tuple(subject.config.out_of_distribution.families),
        build=lambda: STUDENTS[attack.students[0]]((height, width, channels), dataset.classes),
        classes=dataset.classes,
        seed=1,
    )
    return thief, attack.name, float(found[attack.name]["accuracy"])


def _seconds_of(attack: AttackConfig) -> float:
    """How long one core takes to steal and ask, about: asking the victim, then every epoch of every network."""
    return 20.0 + 2.0 * attack.epochs * attack.members


def row_name(attack: AttackConfig, seed: int, victim: str = "") -> str:
    of = f" of {victim}" if victim else ""
    return f"{threat_class(attack)} clone{of}, {attack.name}{'' if seed == 1 else f', attacker {seed}'}"


def rows_of(subject: Subject | None, preset: str, networks: int, removals: Sequence[str] = ()) -> list[Row]:
    """Returns all rows of a subject; of none, what there will be.

    Args:
        subject: whose.
        preset: what there will be without one.
        networks: how many small independent ones; half of them have a row.
        removals: further ones with options, from the best T1 clone, as `removal_of` reads them.

    Raises:
        UsageError: unknown removal or option, or a value out of range.
    """
    config = subject.config if subject is not None else load_config(preset)
    attacks = attacks_of(config)
    mine = Target(subject, subject.protected, networks) if subject is not None else None
    rows: list[Row] = []

    def add(name: str, seconds: float, suspect: Callable[[Subject], Predict], target: Target | None = mine) -> None:
        rows.append(Row(name, seconds, lambda: compared(given(target), suspect(given(subject)))))

    def add_clone(attack: AttackConfig, seed: int = 1, victim: str = "") -> None:
        add(
            row_name(attack, seed, victim),
            _seconds_of(attack),
            lambda of: of.clone(victim or of.protected, attack, seed).labels,
        )

    for attack in attacks:
        add_clone(attack)
    for attack in attacks:
        if attack.name == _REPEATED:
            for seed in (2, 3):
                add_clone(attack, seed)
            for victim in (UNDEFENDED, CONTROL):
                if subject is None or victim in subject.files:
                    add_clone(attack, victim=victim)
    for index in range(networks // 2, networks):
        add(f"independent network {index}", 8, lambda of, index=index: of_network(of.network(index)))
    if subject is None or subject.owner.file is not None:
        add("another owner's fortress", 5, lambda of: of.file_labels(ASSETS / "fortress.tflite"))
    for threat in ("T1", "T2"):
        for name in (*REMOVALS, *(removals if threat == "T1" else ())):
            rows.append(_removal(subject, mine, threat, attacks, name))
    for name in EVASIONS:
        add(
            f"evasion by the best T1 clone, {name}",
            15,
            lambda of, name=name: evading(
                thief := thief_of(of, "T1", attacks)[0],
                EVASIONS[name](thief),
            ),
        )
    return [*rows, *_other_defences(subject, config, attacks, networks)]


def _removal(
    subject: Subject | None, target: Target | None, threat: str, attacks: list[AttackConfig], name: str
) -> Row:
    removal = removal_of(name)

    def make() -> dict[str, object]:
        thief, attack, before = thief_of(given(subject), threat, attacks)
        make_repeatable(1)
        found = compared(given(target), of_network(removal(thief)))
        return {**found, "clone": attack, "kept_accuracy": round(float(str(found["accuracy"])) / before, 3)}

    return Row(f"removal from the best {threat} clone, {name}", 15, make)


def _other_defences(subject: Subject | None, config: Config, attacks: list[AttackConfig], networks: int) -> list[Row]:
    """Clones of other victims, compared with those victims themselves."""
    rows = []
    protected = None if subject is None else subject.protected
    for victim in (each.name for each in config.victims if each.name != protected):
        if subject is not None and victim not in subject.files:
            continue
        target = None if subject is None else Target(subject, victim, networks)

        for attack in (attack for attack in attacks if attack.name in _OF_OTHERS):

            def make(
                victim: str = victim, target: Target | None = target, attack: AttackConfig = attack
            ) -> dict[str, object]:
                return compared(given(target), given(subject).clone(victim, attack, 1).labels)

            rows.append(Row(f"{row_name(attack, 1, victim)}, asked as {victim} answers", _seconds_of(attack), make))
    return rows


def given(part: Part | None) -> Part:
    """What a row needs; rows of nobody are only counted."""
    if part is None:
        raise RuntimeError("there is no subject yet")
    return part
