"""What is noted beside an owner key: batches of questions that were used, and how often independent models agree.

The key's own file is never written again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tinycerb.atomic import locked_beside, read_json, write_json
from tinycerb.bounded.typed_json import from_json, to_json
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.ownership.owner import Owner

_SCHEMA_VERSION = 1


@dataclass(frozen=True)
class UsedBatch:
    """A batch of questions that somebody has seen.

    Attributes:
        batch: its number.
        questions: how many it has.
        model_tensors: digest of the model whose answers were compared.
        used_for: `verify`, `questions` or `calibrate`.
    """

    batch: int
    questions: int
    model_tensors: str
    used_for: str


@dataclass(frozen=True)
class Null:
    """How often independent models agree with a model.

    Attributes:
        p0: per family, the upper limit that is tested against.
        models: how many models it comes from.
        questions: asked of each.
    """

    p0: Mapping[str, float]
    models: int
    questions: int


@dataclass(frozen=True)
class Notes:
    """All that is noted beside a key.

    Attributes:
        schema_version: of the file.
        owner_key_sha256: hash of the key that they belong to.
        batches: in the order in which they were used.
        nulls: by digest of a model's tensors.
    """

    owner_key_sha256: str
    schema_version: int = _SCHEMA_VERSION
    batches: tuple[UsedBatch, ...] = ()
    nulls: Mapping[str, Null] = field(default_factory=dict)


def notes_file(key: Path) -> Path:
    """Returns where a key's notes lie."""
    return key.with_name(f"{key.name}.notes.json")


def read_notes(owner: Owner) -> Notes:
    """Returns what is noted; nothing yet, or nothing for the public.

    Raises:
        EnvironmentProblem: the file is damaged, or belongs to another key.
    """
    if owner.file is None or not notes_file(owner.file).exists():
        return Notes(owner.digest)
    path = notes_file(owner.file)
    notes = from_json(Notes, read_json(path), "", lambda message: EnvironmentProblem(f"{path}: {message}"))
    if notes.owner_key_sha256 != owner.digest or notes.schema_version != _SCHEMA_VERSION:
        raise EnvironmentProblem(
            f"{path} is of another owner key or version; move it away, and batches of questions are counted anew"
        )
    return notes


def take_batch(owner: Owner, questions: int, model_tensors: str, used_for: str) -> int:
    """Notes a batch that nobody has seen, and returns its number; 0 for the public, which has but one.

    Raises:
        EnvironmentProblem: the notes cannot be read or written.
    """
    if owner.file is None:
        return 0
    with locked_beside(notes_file(owner.file)):
        notes = read_notes(owner)
        number = 1 + max((used.batch for used in notes.batches), default=0)
        used = UsedBatch(number, questions, model_tensors, used_for)
        _write(owner.file, replace(notes, batches=(*notes.batches, used)))
    return number


def used_batch(owner: Owner, number: int) -> UsedBatch:
    """Returns what is noted of a batch.

    Raises:
        UsageError: it was never drawn with this key.
    """
    notes = read_notes(owner)
    for used in notes.batches:
        if used.batch == number:
            return used
    known = ", ".join(str(used.batch) for used in notes.batches) or "none"
    raise UsageError(f"batch {number} was never drawn with this owner key; noted beside it: {known}")


def note_null(owner: Owner, model_tensors: str, null: Null) -> None:
    """Notes how often independent models agree with a model.

    Raises:
        UsageError: the public has no place for it.
        EnvironmentProblem: the notes cannot be read or written.
    """
    if owner.file is None:
        raise UsageError("owner is 'public': there is no key beside which a null is noted; allowed: a key's file")
    with locked_beside(notes_file(owner.file)):
        notes = read_notes(owner)
        _write(owner.file, replace(notes, nulls={**notes.nulls, model_tensors: null}))


def _write(key: Path, notes: Notes) -> None:
    write_json(notes_file(key), to_json(notes))
