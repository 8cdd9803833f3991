"""The bench cell: one attack on one victim with one student, a pure function of its specification."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TypedDict, cast

import numpy as np

from tinycerb.answers.selection import HEAD_SELECTIONS
from tinycerb.attacks import attack_of, knows_key
from tinycerb.attacks.building_blocks.victim_x2 import Architecture, architecture_for
from tinycerb.bench.asked_heads import MEAN_HEAD
from tinycerb.bench.parts_code import CodeDigests, code_of, is_as_before
from tinycerb.config import AttackConfig
from tinycerb.config.typed_tables import build
from tinycerb.config.user_sources import IN_DISTRIBUTION, PUBLIC
from tinycerb.datasets.images import Dataset, digest_arrays
from tinycerb.datasets.query_pools import digest_labelled, query_pool
from tinycerb.datasets.variations import with_copies
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.file_names import OUT_OF_DISTRIBUTION, TEST_LABELS
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import (
    Damaged,
    inputs_digest,
    is_made,
    made_from,
    move_aside,
    only_looking,
    read_json,
    write_json,
)

_of_any_code: ContextVar[bool] = ContextVar("of_any_code", default=False)


@dataclass(frozen=True)
class CellSpec:
    """Everything that determines a cell's result.

    Attributes:
        schema_version: raised when the meaning of a field changes.
        dataset: digest of the victim's data.
        victim: the victim's name.
        defense: its defence.
        defense_options: the defence's options, as JSON.
        victim_seed: the seed that it was trained with.
        model_sha256: its int8 file.
        selection: how the oracle chooses the head; `mean` for the reference row.
        query_pool: digest of the attacker's images.
        attack: the attack with its settings.
        student: the clone's network.
        learning_rate: the clone's.
        attacker_seed: the attacker's seed.
        device_seed: seeds the head draws of the device; the attacker never gets it.
        owner: of the victim's teachers, `public` or the hash of the owner key, if the attack knows them; else empty.
        code: of the attack, the student and the defence; empty in cells of the time before it was noted.
        pretraining: digest of the labelled images that the student was trained on before; empty for one from scratch.
        architecture: the victim's, for a student that is made after it.
    """

    schema_version: int
    dataset: str
    victim: str
    defense: str
    defense_options: str
    victim_seed: int
    model_sha256: str
    selection: str
    query_pool: str
    attack: AttackConfig
    student: str
    learning_rate: float
    attacker_seed: int
    device_seed: int
    owner: str = ""
    code: CodeDigests = field(default_factory=CodeDigests)
    pretraining: str = ""
    architecture: Architecture = field(default_factory=Architecture)

    def digest(self) -> str:
        """Returns the sixteen hexadecimal digits that name the cell."""
        table = asdict(self)
        # A cell trains one student at one rate: which others stand in the same table does not matter to it.
        table["attack"].pop("students")
        table["attack"].pop("learning_rates")
        # As it was called before: cells of older runs keep their names.
        table["attack"]["own_images"] = table["attack"].pop("in_distribution_images")
        # As it was before there were owner keys.
        if not self.owner:
            table.pop("owner")
        if not any(table["code"].values()):
            table.pop("code")
        # As it was before students could be pretrained.
        if not self.pretraining:
            table.pop("pretraining")
        if not self.attack.pretraining:
            table["attack"].pop("pretraining")
        # As it was before a student was made after its victim.
        if self.architecture == Architecture():
            table.pop("architecture")
        return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()[:16]


def cell_specs(run: RunDirectory, dataset: Dataset, victim: str, attack: str, selection: str) -> list[CellSpec]:
    """Describes the cells of one of the run's attacks on one victim that is converted; see `specs_of_attack`."""
    return specs_of_attack(run, dataset, victim, run.config.attack(attack), selection)


def specs_of_attack(
    run: RunDirectory,
    dataset: Dataset,
    victim: str,
    attack_config: AttackConfig,
    selection: str,
    model_sha256: str | None = None,
    questions: str | None = None,
) -> list[CellSpec]:
    """Describes the cells of an attack: one for each attacker seed, student and learning rate.

    The digests of the victim's file and of the attacker's images are taken anew where they are not given.

    Raises:
        UsageError: unknown query pool or head selection.
        EnvironmentProblem: the victim is not converted, or its files are damaged.
    """
    if selection != MEAN_HEAD and selection not in HEAD_SELECTIONS:
        raise UsageError(f"unknown head selection {selection!r}; known: {', '.join(HEAD_SELECTIONS)}, {MEAN_HEAD}")
    config = run.config
    victim_config = config.victim(victim)
    model_sha256 = run.model_sha256(victim) if model_sha256 is None else model_sha256
    shared = CellSpec(
        schema_version=2,
        dataset=dataset.digest,
        victim=victim,
        defense=victim_config.defense,
        defense_options=json.dumps(dict(victim_config.options), sort_keys=True),
        victim_seed=config.seed,
        model_sha256=model_sha256,
        selection=selection,
        query_pool=digest_questions(attack_config, dataset, config.seed) if questions is None else questions,
        attack=attack_config,
        student="",
        learning_rate=0.0,
        attacker_seed=0,
        device_seed=_device_seed(model_sha256, config.seed),
        owner=(config.owner or PUBLIC) if knows_key(attack_of(attack_config)) else "",
        pretraining=digest_labelled(attack_config.pretraining, dataset) if attack_config.pretraining else "",
    )
    model, pretraining = config.model, attack_config.pretraining
    told = {student: architecture_for(student, model.backbone, model.width) for student in attack_config.students}
    code = {
        student: code_of(run.victims[victim], attack_config.attack, student, pretraining, architecture)
        for student, architecture in told.items()
    }
    return [
        replace(
            shared,
            student=student,
            learning_rate=rate,
            attacker_seed=seed,
            code=code[student],
            architecture=told[student],
        )
        for seed in config.bench.attacker_seeds or (config.seed + 1000,)
        for student in attack_config.students
        for rate in attack_config.learning_rates
    ]


def digest_questions(attack: AttackConfig, dataset: Dataset, seed: int) -> str:
    """Returns the digest of all images that an attacker has."""
    return digest_arrays(load_pool(attack, dataset), load_in_distribution(attack, dataset, seed))


def _device_seed(model_sha256: str, seed: int) -> int:
    """A seed that shares nothing with the attacker's, whose generator must not foretell the device's heads."""
    return int(hashlib.sha256(f"device:{seed}:{model_sha256}".encode()).hexdigest()[:15], 16)


def load_pool(attack: AttackConfig, dataset: Dataset) -> np.ndarray:
    """Returns an attacker's images of other kinds, copies included, uint8 [N, height, width, channels]."""
    return with_copies(query_pool(attack.query_pool).load(dataset), attack.pool_copies)


def load_in_distribution(attack: AttackConfig, dataset: Dataset, seed: int) -> np.ndarray:
    """Returns an attacker's `in_distribution_images` images of the victim's kind, uint8 [M, height, width, channels].

    Raises:
        UsageError: there are not so many.
    """
    if attack.in_distribution_images == 0:
        return np.zeros((0, *dataset.image_shape), np.uint8)
    images = query_pool(IN_DISTRIBUTION).load(dataset)
    if attack.in_distribution_images > len(images):
        raise UsageError(
            f"attacks.{attack.name}.in_distribution_images is {attack.in_distribution_images}; allowed: 0 to "
            f"{len(images)}, the distinct validation images"
        )
    return images[np.random.default_rng([seed, 7]).permutation(len(images))[: attack.in_distribution_images]]


def threat_class(attack: AttackConfig) -> str:
    """Returns `T2` for an attacker who has, or whose students have seen, images of the victim's own kind, else `T1`."""
    pools = [attack.query_pool, *([attack.pretraining] if attack.pretraining else [])]
    classes = {query_pool(pool).threat_class for pool in pools}
    return "T2" if attack.in_distribution_images or "T2" in classes else "T1"


def files_behind(run: RunDirectory, victim: str) -> list[Path]:
    """Returns the files that every cell of a victim is computed from."""
    # The third was named for every victim before others could leave files.
    names = (TEST_LABELS, OUT_OF_DISTRIBUTION, "redirection.tflite", *run.victims[victim].response.files)
    return [run.model(victim), *(run.victim(victim) / name for name in dict.fromkeys(names))]


def has_cell(run: RunDirectory, spec: CellSpec) -> bool:
    """Whether a finished cell is there, as it was written; nothing is moved."""
    with only_looking():
        return find_cell(run, spec) is not None


class CellResult(TypedDict):
    """The figures of a cell that others count on; there are more, some of one attack alone."""

    clone_accuracy: float
    clone_accuracy_oracle_best: float
    queries_charged: int
    curve: list[dict[str, float]]


class CellContent(TypedDict):
    """What a cell's file holds."""

    spec: dict[str, object]
    result: CellResult
    result_sha256: str


def find_cell(run: RunDirectory, spec: CellSpec) -> CellContent | None:
    """Returns a finished cell, or None where it is to be computed; see `look_for_cell`."""
    return look_for_cell(run, spec)[0]


def look_for_cell(run: RunDirectory, spec: CellSpec) -> tuple[CellContent | None, str]:
    """Looks for a finished cell; one that is damaged is moved aside, to `NAME.damaged`.

    Returns:
        The cell, or None; and what is to be said about one that is there and does not count.
    """
    path = run.cell(spec.digest())
    if not path.exists() and any(asdict(spec.code).values()):
        return _look_for_older(run, spec)
    if not path.exists():
        return None, ""
    try:
        content = read_json(path)
    except Damaged as error:
        return None, str(error)
    except EnvironmentProblem:
        content = {}
    if not is_sound(content, spec.digest()):
        return None, f"{path} is damaged{move_aside(path)}; it is computed again"
    if not is_made(path, inputs_digest(files_behind(run, spec.victim))):
        return None, f"{path} was computed from other files of {spec.victim} than are there now; it is computed again"
    return cast(CellContent, content), ""


def _look_for_older(run: RunDirectory, spec: CellSpec) -> tuple[CellContent | None, str]:
    """Looks for a cell that does not say which code has made it: it counts as long as its code has not changed."""
    older = replace(spec, code=CodeDigests())
    path = run.cell(older.digest())
    if _of_any_code.get():
        kept = _by_all_but_code(run.path, tuple(sorted(path.name for path in run.cell("").parent.glob("*.json"))))
        if older.digest() not in kept:
            return None, ""
        return look_for_cell(run, replace(older, code=kept[older.digest()]))
    if not path.exists() or is_as_before(run.victims[spec.victim], spec.attack.attack, spec.student):
        return look_for_cell(run, older)
    return None, f"{path} does not say which code has made it, and that code has changed since; it is computed again"


@contextmanager
def of_any_code() -> Iterator[None]:
    """Inside, a cell that other code has made counts, for whoever looks at what was made and makes nothing."""
    token = _of_any_code.set(True)
    try:
        yield
    finally:
        _of_any_code.reset(token)


@lru_cache(maxsize=8)
def _by_all_but_code(run: Path, names: tuple[str, ...]) -> dict[str, CodeDigests]:
    """Returns which code has made the cells of a run, the latest where several have, by the rest's digest."""
    found = {}
    for path in sorted((run / "cells" / name for name in names), key=lambda path: path.stat().st_mtime):
        with suppress(EnvironmentProblem, UsageError, KeyError):
            table = {key: value for key, value in read_json(path)["spec"].items() if key != "digest"}
            spec = build(CellSpec, table, "spec")
            found[replace(spec, code=CodeDigests()).digest()] = spec.code
    return found


def set_unsound_aside(run: RunDirectory) -> list[str]:
    """Moves cells aside that their own digest does not fit, where no manifest watches over them; says so of each."""
    said = []
    for path in sorted((run.path / "cells").glob("*.json")):
        try:
            content = read_json(path)
        except EnvironmentProblem:
            content = {}
        if not is_sound(content, path.stem):
            said.append(f"{path} is damaged{move_aside(path)}; it is computed again")
    return said


def keep_cell(run: RunDirectory, spec: CellSpec, content: CellContent) -> None:
    """Writes a cell's file."""
    with made_from(files_behind(run, spec.victim)):
        write_json(run.cell(spec.digest()), content)


def seal(spec: CellSpec, result: Mapping[str, object]) -> CellContent:
    """Returns what a cell's file holds: specification, result, and the result's digest against silent damage."""
    # As the file will say it: keys and numbers that JSON changes are changed before they are digested.
    plain = json.loads(json.dumps(dict(result), allow_nan=False))
    return {"spec": {**asdict(spec), "digest": spec.digest()}, "result": plain, "result_sha256": _result_digest(plain)}


def is_sound(content: Mapping[str, object], digest: str) -> bool:
    """Whether a cell's content is the one that `digest` names, and undamaged."""
    spec, result = content.get("spec"), content.get("result")
    if not isinstance(spec, dict) or not isinstance(result, dict) or spec.get("digest") != digest:
        return False
    return content.get("result_sha256", "") in ("", _result_digest(result)) and "clone_accuracy" in result


def _result_digest(result: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()
