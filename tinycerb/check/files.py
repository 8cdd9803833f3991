"""The files of a run: are they the ones that were written, and made from each other?"""

from dataclasses import dataclass
from pathlib import Path

from tinycerb.bench.cell import CellSpec, is_sound
from tinycerb.bench.parts_code import CodeDigests, code_of, is_as_before
from tinycerb.config.typed_tables import build
from tinycerb.errors import EnvironmentProblem, TinyCerbError, UsageError
from tinycerb.jobs.plan import plan
from tinycerb.jobs.steps import CELL_KINDS, STEPS
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.care import compare
from tinycerb.seal.files import inputs_digest, is_made, manifest_in, read_json
from tinycerb.seal.manifest import NAME


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        file: which.
        what: in words.
    """

    file: str
    what: str


# What is wrong, and what was found right.
Found = tuple[list[Finding], list[str]]


def check_manifest(run: RunDirectory) -> Found:
    """Compares every artefact with the manifest."""
    manifest = manifest_in(run.path)
    if manifest is None:
        return [Finding(str(run.path / NAME), "is not there: the run has no seal")], []
    found = [Finding(str(run.path / each.file), each.what) for each in compare(run.path, manifest) if not each.cut_off]
    found += [Finding(str(manifest.path), f"line {line} cannot be read") for line in manifest.unreadable]
    count = sum(bool(entry.sha256) for entry in manifest.entries.values())
    notes = [] if found else [f"{manifest.path}: {count} artefacts, all as they were written"]
    if adopted := run.adopted_files():
        notes.append(f"{manifest.path}: {len(adopted)} of them were taken in afterwards, by tinycerb check --seal")
    return found, notes


def check_origins(run: RunDirectory) -> Found:
    """Looks for artefacts that were made from others than are there now."""
    found = []
    for task in plan(run.config):
        step = STEPS[task.kind]
        # Cells name what they come from, and are looked at one by one.
        if task.kind in CELL_KINDS:
            continue
        inputs = inputs_digest(step.reads(run, task.arguments))
        stale = [path for path in step.makes(run, task.arguments) if is_made(path) and not is_made(path, inputs)]
        found += [Finding(str(path), "was made from other files than are there now") for path in stale]
    return found, []


def check_cells(run: RunDirectory) -> Found:
    """Compares every cell's result with its own digest, and its name and its model with its specification."""
    found, other, specs = [], 0, []
    paths = sorted((run.path / "cells").glob("*.json"))
    models = {victim.name: _model_sha256(run, victim.name) for victim in run.config.victims}
    for path in paths:
        fault, spec = _look_at_cell(path)
        if fault:
            found.append(Finding(str(path), fault))
        specs += [spec] if spec is not None else []
        other += spec is not None and models.get(spec.victim) != spec.model_sha256
    notes = [f"{run.path / 'cells'}: {len(paths)} cells, each as its digest says"] if paths and not found else []
    if made := sum(_is_of_other_code(run, spec) for spec in specs):
        notes.append(f"{run.path / 'cells'}: {made} of them were made by other code of their parts than is here")
    if other:
        notes.append(f"{run.path / 'cells'}: {other} of them attack a model that is not in the run any more")
    return found, notes


def _look_at_cell(path: Path) -> tuple[str, CellSpec | None]:
    try:
        content = read_json(path)
        if not is_sound(content, path.stem):
            return "its result is not the one that its digest names", None
        spec = build(CellSpec, {key: value for key, value in content["spec"].items() if key != "digest"}, "spec")
    except (EnvironmentProblem, UsageError, KeyError) as error:
        return str(error), None
    return ("" if spec.digest() == path.stem else "its specification is not the one that its name stands for"), spec


def _is_of_other_code(run: RunDirectory, spec: CellSpec) -> bool:
    """Also where a part is not here any more."""
    try:
        victim, attack = run.victims[spec.victim], spec.attack.attack
        if spec.code == CodeDigests():
            return not is_as_before(victim, attack, spec.student)
        here = code_of(victim, attack, spec.student, spec.attack.pretraining, spec.architecture)
        return spec.code != here
    except (UsageError, KeyError):
        return True


def _model_sha256(run: RunDirectory, victim: str) -> str:
    try:
        return run.model_sha256(victim)
    except TinyCerbError:
        return ""
