"""Cells of a run that is not trained: what names them, which there are, and which files are believed."""

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from tinycerb.bench.cell import (
    CellSpec,
    digest_questions,
    find_cell,
    is_sound,
    keep_cell,
    load_pool,
    look_for_cell,
    seal,
    set_unsound_aside,
    specs_of_attack,
)
from tinycerb.bench.parts_code import CodeDigests, code_of
from tinycerb.config import AttackConfig
from tinycerb.config.loading import load_config
from tinycerb.datasets.images import Dataset, LabelledImages, digest_arrays
from tinycerb.datasets.query_pools import query_pool
from tinycerb.errors import UsageError
from tinycerb.run.directory import RunDirectory

ATTACK = AttackConfig("knockoff", query_pool="in_distribution", students=("lenet", "batchnorm_cnn"))
SPEC = CellSpec(2, "data", "cerberos", "cerberos", "{}", 1, "model", "random", "pool", ATTACK, "lenet", 1e-3, 7, 8)
RESULT = {"clone_accuracy": 0.5, "queries_charged": 600, "curve": [{"epoch": 1}]}
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4, 4, 1), dtype=np.uint8)
LABELLED = LabelledImages(IMAGES, np.zeros(6, np.int64))
DATASET = Dataset("made up", "here", ("a", "b"), LABELLED, LABELLED, LABELLED)
# The same in the order of the pool, which is not that of the validation images.
POOL = query_pool("in_distribution").load(DATASET)


def run_of(folder: Path, *settings: str) -> RunDirectory:
    return RunDirectory.create(load_config("smoke", list(settings)), folder / "run", force=False)


def test_a_cells_name_by_hand() -> None:
    """Sixteen digits of the SHA-256 of what determines it: neither its table's other students, nor an empty owner."""
    table = asdict(SPEC)
    # Called so when the first cells were named.
    table["attack"]["own_images"] = table["attack"].pop("in_distribution_images")
    del table["owner"], table["code"], table["pretraining"], table["architecture"], table["attack"]["pretraining"]
    for several in ("students", "learning_rates"):
        del table["attack"][several]
    whole = hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()
    assert SPEC.digest() == whole[:16]
    table["owner"] = "public"
    owned = hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()
    assert replace(SPEC, owner="public").digest() == owned[:16]
    del table["owner"]
    table["code"] = {"attack": "abc", "student": "", "defense": "", "response": ""}
    coded = hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()
    assert replace(SPEC, code=CodeDigests(attack="abc")).digest() == coded[:16]


def test_an_attack_has_a_cell_for_every_seed_student_and_rate(tmp_path: Path) -> None:
    run = run_of(tmp_path, "seed=3", "bench.attacker_seeds=[1001,7]")
    attack = replace(ATTACK, learning_rates=(1e-3, 2e-3))
    specs = specs_of_attack(run, DATASET, "cerberos", attack, "keyed", "abc")
    assert [(spec.attacker_seed, spec.student, spec.learning_rate) for spec in specs] == [
        (seed, student, rate) for seed in (1001, 7) for student in ("lenet", "batchnorm_cnn") for rate in (1e-3, 2e-3)
    ]
    shared = CellSpec(
        schema_version=2,
        dataset=DATASET.digest,
        victim="cerberos",
        defense="cerberos",
        defense_options='{"heads": 3}',
        victim_seed=3,
        model_sha256="abc",
        selection="keyed",
        query_pool=digest_arrays(POOL, np.zeros((0, 4, 4, 1), np.uint8)),
        attack=attack,
        student="",
        learning_rate=0,
        attacker_seed=0,
        device_seed=int(hashlib.sha256(b"device:3:abc").hexdigest()[:15], 16),
    )
    bare = {"attacker_seed": 0, "student": "", "learning_rate": 0, "code": CodeDigests()}
    assert all(replace(spec, **bare) == shared for spec in specs)
    assert all(spec.code == code_of(run.victims["cerberos"], "knockoff", spec.student) for spec in specs)
    assert specs_of_attack(run, DATASET, "cerberos", ATTACK, "mean", "abc", "asked")[0].query_pool == "asked"


def test_an_attacker_has_a_thousand_more_than_the_seed_and_only_who_knows_teachers_an_owner(tmp_path: Path) -> None:
    run = run_of(tmp_path, "seed=3")
    owners = {}
    for name in ("knockoff", "shadow"):
        options = {"knows_key": True} if name == "shadow" else {}
        attack = replace(ATTACK, attack=name, options=options)
        spec = specs_of_attack(run, DATASET, "cerberos", attack, "random", "abc", "asked")[0]
        owners[name] = spec.owner
        assert spec.attacker_seed == 1003
    assert owners == {"knockoff": "", "shadow": "public"}


def test_an_unknown_selection_is_told_with_the_known_ones(tmp_path: Path) -> None:
    known = "coarse_keyed, fixed, keyed, random, seeded, mean"
    with pytest.raises(UsageError, match=f"^unknown head selection 'rondom'; known: {known}$"):
        specs_of_attack(run_of(tmp_path), DATASET, "cerberos", ATTACK, "rondom", "abc", "asked")


def test_questions_are_the_pool_with_its_copies_and_the_own_images_of_the_seed() -> None:
    copied = replace(ATTACK, pool_copies=1, in_distribution_images=2)
    pool = load_pool(copied, DATASET)
    assert len(pool) == 12
    assert (pool[:6] == POOL).all()
    own = POOL[np.random.default_rng([5, 7]).permutation(6)[:2]]
    assert digest_questions(copied, DATASET, 5) == digest_arrays(pool, own)


def test_what_a_cells_file_holds_and_which_content_is_believed() -> None:
    content = seal(SPEC, RESULT)
    assert content["spec"] == {**asdict(SPEC), "digest": SPEC.digest()}
    assert content["result"] == RESULT
    assert content["result_sha256"] == hashlib.sha256(json.dumps(RESULT, sort_keys=True).encode()).hexdigest()
    with pytest.raises(ValueError, match="not JSON compliant"):
        seal(SPEC, {"clone_accuracy": float("nan")})
    digest = SPEC.digest()
    assert is_sound(content, digest)
    # Cells of the first releases have no digest of their result.
    assert is_sound({**content, "result_sha256": ""}, digest)
    assert is_sound({key: value for key, value in content.items() if key != "result_sha256"}, digest)
    for wrong in (
        {},
        {**content, "spec": None},
        {**content, "result": [0.5]},
        {**content, "spec": {**content["spec"], "digest": "0" * 16}},
        {**content, "result": {**RESULT, "clone_accuracy": 0.6}},
        {**content, "result_sha256": "", "result": {"queries_charged": 600}},
    ):
        assert not is_sound(wrong, digest)


def test_a_cell_is_found_again_and_not_believed_when_its_files_have_changed(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    spec = replace(SPEC, victim="undefended")
    path = run.path / "cells" / f"{spec.digest()}.json"
    assert look_for_cell(run, spec) == (None, "")
    content = json.loads(json.dumps(seal(spec, RESULT)))
    keep_cell(run, spec, content)
    assert look_for_cell(run, spec) == (content, "")
    assert find_cell(run, spec) == content
    path.write_bytes(path.read_bytes().replace(b"600", b"601"))
    found, said = look_for_cell(run, spec)
    assert found is None
    assert said.startswith(f"{path} is damaged: SHA-256 ")
    assert "moved to" in said
    assert not path.exists()
    keep_cell(run, replace(spec, attacker_seed=9), content)
    misnamed = replace(spec, attacker_seed=9)
    assert look_for_cell(run, misnamed) == (
        None,
        f"{run.cell(misnamed.digest())} is damaged; moved to {misnamed.digest()}.json.damaged; it is computed again",
    )


def test_without_a_manifest_a_cells_own_digest_must_fit(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    good, bad = replace(SPEC, attacker_seed=1), replace(SPEC, attacker_seed=2)
    for spec in (good, bad):
        keep_cell(run, spec, seal(good, RESULT))
    assert set_unsound_aside(run) == [
        f"{run.cell(bad.digest())} is damaged; moved to {bad.digest()}.json.damaged; it is computed again"
    ]
    assert [path.name for path in sorted((run.path / "cells").iterdir())] == sorted(
        [f"{good.digest()}.json", f"{bad.digest()}.json.damaged"]
    )
