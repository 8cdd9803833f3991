"""Which code of attack, student and defence a result comes from."""

import inspect
import socket
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from tinycerb.answers.responses import RESPONSES
from tinycerb.answers.responses.chain import Combined
from tinycerb.attacks import ATTACKS
from tinycerb.attacks.building_blocks.students import STUDENTS
from tinycerb.attacks.building_blocks.victim_x2 import Architecture
from tinycerb.bench.code_digest import accepted_digests, code_digest
from tinycerb.config import VictimConfig
from tinycerb.defenses import DEFENSES
from tinycerb.errors import EnvironmentProblem
from tinycerb.run.victim import Victim, resolve_victim

# By path: importing it loads TensorFlow.
_PRETRAINING = (Path(str(resources.files("tinycerb.attacks.building_blocks"))) / "pretraining.py",)

_NONE = Architecture()


class OtherCode(EnvironmentProblem):
    """The code that is here is not the one that a cell is to be computed with."""


@dataclass(frozen=True)
class CodeDigests:
    """The code that a cell's result depends on, as sixteen hexadecimal digits each; see `code_digest`.

    Attributes:
        attack: of the attack.
        student: of the clone's network.
        defense: of the victim's training part.
        response: of its response, or of all parts of it.
    """

    attack: str = ""
    student: str = ""
    defense: str = ""
    response: str = ""


def code_of(
    victim: Victim, attack: str, student: str, pretraining: str = "", architecture: Architecture = _NONE
) -> CodeDigests:
    """Returns the digests of what a cell is computed with, as it is now.

    Args:
        victim: whom it attacks.
        attack: the attack.
        student: the clone's network.
        pretraining: what the student was trained on before, "" for nothing: what trains it is then part of its code.
        architecture: of the victim, for a student that is made after it: its code is then part of the student's.

    Raises:
        UsageError: an unknown attack or student.
    """
    return CodeDigests(
        attack=code_digest([ATTACKS.place(attack).file]),
        student=code_digest([STUDENTS.place(student).file, *(_PRETRAINING if pretraining else ()), *architecture.code]),
        defense=code_digest(training_files(victim)),
        response=code_digest(response_files(victim)),
    )


def require_code(
    wanted: CodeDigests,
    victim: VictimConfig,
    attack: str,
    student: str,
    pretraining: str = "",
    architecture: Architecture = _NONE,
) -> None:
    """Compares the code that is here with the one that a cell's specification names, if it names one.

    Raises:
        OtherCode: it is another one; the message names the parts.
    """
    if wanted == CodeDigests():
        return
    found = code_of(resolve_victim(victim), attack, student, pretraining, architecture)
    names = {"attack": attack, "student": student, "defense": victim.defense, "response": victim.response}
    if others := [f"{kind} {names[kind]!r}" for kind in names if getattr(found, kind) != getattr(wanted, kind)]:
        raise OtherCode(
            f"the code of {', '.join(others)} on {socket.gethostname()} is not the one that this cell is to be "
            "computed with: it has changed since the command started, or other code is installed here; start the "
            "command anew"
        )


def is_as_before(victim: Victim, attack: str, student: str) -> bool:
    """Whether this code has not changed since cells did not say which one has made them."""
    parts = ([ATTACKS.place(attack).file], [STUDENTS.place(student).file])
    return all("" in accepted_digests(files) for files in (*parts, training_files(victim), response_files(victim)))


def training_files(victim: Victim) -> list[Path]:
    """Returns where the training part of a victim's defence stands, and what puts a random head beside it."""
    registered = DEFENSES.place(victim.config.defense).file
    return list(dict.fromkeys([registered, Path(inspect.getfile(type(victim.defense)))]))


def response_files(victim: Victim) -> list[Path]:
    """Returns where the parts of a victim's response stand, in their order."""
    whole = victim.response
    parts = whole.parts if isinstance(whole, Combined) else (whole,)
    return [RESPONSES.place(part.name).file for part in parts]
