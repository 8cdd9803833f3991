"""Cells of an attack that knows the victim's teachers: their names, what they are given, and what is never sent."""

import hashlib
import json
import pickle
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from tinycerb.attacks.building_blocks.victim_x2 import Architecture
from tinycerb.bench.cell import CellSpec, specs_of_attack
from tinycerb.bench.cell_inputs import gather_inputs, with_teachers
from tinycerb.config import AttackConfig
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import Dataset
from tinycerb.datasets.procedural import generate
from tinycerb.defenses.losses.random_teachers import random_teachers
from tinycerb.errors import EnvironmentProblem
from tinycerb.matrix.cells import MatrixCell
from tinycerb.matrix.parcels import Order, Packer, unpack
from tinycerb.ownership.owner_key import OwnerKey, new_owner_key, write_owner_key
from tinycerb.run.directory import RunDirectory

BLIND = AttackConfig("shadow", attack="shadow", students=("lenet",), budget=100)
KNOWING = replace(BLIND, name="shadow-knows-key", options={"knows_key": True})


@pytest.fixture(scope="module")
def dataset(smoke_run) -> Dataset:
    return load_dataset(smoke_run.config.data)


def spec_of(run: RunDirectory, dataset: Dataset, attack: AttackConfig, victim: str = "cerberos") -> CellSpec:
    return specs_of_attack(run, dataset, victim, attack, "random", questions="some")[0]


def owned(run: RunDirectory, owner: str) -> RunDirectory:
    """The smoke run as if it had been started with that owner."""
    return RunDirectory(run.path, replace(run.config, owner=owner))


def test_cells_that_know_nothing_are_called_as_they_were_before_there_were_keys(smoke_run, dataset) -> None:
    spec = spec_of(smoke_run, dataset, BLIND)
    table = asdict(spec)
    assert (table.pop("owner"), table.pop("pretraining")) == ("", "")
    assert table.pop("architecture") == asdict(Architecture())
    for key in ("students", "learning_rates", "pretraining"):
        table["attack"].pop(key)
    # Called so when the first cells were named.
    table["attack"]["own_images"] = table["attack"].pop("in_distribution_images")
    assert spec.digest() == hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()[:16]
    assert gather_inputs(smoke_run, dataset, spec).recipe is None


def test_cells_that_know_the_teachers_hold_the_hash(smoke_run, dataset) -> None:
    key = new_owner_key()
    owners = ("public", key.hash, new_owner_key().hash)
    specs = [spec_of(owned(smoke_run, owner), dataset, KNOWING) for owner in owners]
    assert [spec.owner for spec in specs] == list(owners)
    assert len({spec.digest() for spec in specs}) == 3
    # A run that was started before there were keys.
    assert spec_of(owned(smoke_run, ""), dataset, KNOWING).owner == "public"


def test_the_attacker_gets_the_very_teachers_of_training(smoke_run, dataset, tmp_path: Path) -> None:
    """One for each head, fitted to the images that the defender has drawn."""
    file, key = tmp_path / "owner.key", new_owner_key()
    write_owner_key(file, key)
    wanted = smoke_run.config.out_of_distribution
    drawn = generate(wanted.families, wanted.images, dataset.train.images, smoke_run.config.seed)
    for owner, words in (("public", ()), (key.hash, key.words("teachers"))):
        run = owned(smoke_run, owner)
        for victim, heads in (("cerberos", 3), ("undefended", 1)):
            spec = spec_of(run, dataset, KNOWING, victim)
            inputs = with_teachers(gather_inputs(run, dataset, spec), spec, file, "")
            answers = random_teachers(drawn, heads, dataset.classes, smoke_run.config.seed, None, words)
            assert len(inputs.teachers) == heads
            for teacher, said in zip(inputs.teachers, answers, strict=True):
                np.testing.assert_allclose(teacher(drawn), said, atol=1e-6)


def test_without_the_key_the_cell_stops_and_says_what_to_do(smoke_run, dataset, tmp_path: Path) -> None:
    file, key = tmp_path / "owner.key", new_owner_key()
    write_owner_key(file, new_owner_key())
    run = owned(smoke_run, key.hash)
    spec = spec_of(run, dataset, KNOWING)
    inputs = gather_inputs(run, dataset, spec)
    for found, message in ((file, "is the owner key"), (tmp_path / "none.key", "No such file"), (None, "nothing says")):
        with pytest.raises(
            EnvironmentProblem, match=rf"{message}.*{key.hash[:16]}|{key.hash[:16]}.*{message}"
        ) as error:
            with_teachers(inputs, spec, found, "do this")
        assert str(error.value).endswith("; do this")


def test_the_key_is_not_sent_to_a_cluster(smoke_run, dataset, tmp_path: Path) -> None:
    """A worker that can read the key's file has the teachers, another one says why it has none."""
    key = OwnerKey(bytes(range(40, 72)))
    write_owner_key(tmp_path / "owner.key", key)
    run = owned(smoke_run, key.hash)
    spec = spec_of(run, dataset, KNOWING)
    packer = Packer()
    names = packer.pack(MatrixCell(run, spec, "T1", 100))
    order = Order(spec, names, {}, str(tmp_path / "owner.key"))
    words = b"".join(word.to_bytes(4, "little") for word in key.words("teachers"))
    sent = pickle.dumps((order, packer.contents))
    for name, content in packer.contents.items():
        (tmp_path / name).write_bytes(content)
        with np.load(tmp_path / name) as arrays:
            sent += b"".join(arrays[each].tobytes() for each in arrays.files)
    for secret in (key.content, key.content.hex().encode(), words, words.hex().encode()):
        assert secret not in sent
    assert key.hash.encode() in sent
    inputs = with_teachers(unpack(tmp_path, names), spec, Path(order.key_file), "")
    here = with_teachers(gather_inputs(run, dataset, spec), spec, tmp_path / "owner.key", "")
    for one, other in zip(inputs.teachers, here.teachers, strict=True):
        np.testing.assert_allclose(one(dataset.test.images[:50]), other(dataset.test.images[:50]), atol=1e-6)
    (tmp_path / "owner.key").unlink()
    from tinycerb.matrix.remote import _WITHOUT_KEY

    with pytest.raises(EnvironmentProblem, match=r"a key is not sent to .*without --scheduler"):
        with_teachers(unpack(tmp_path, names), spec, Path(order.key_file), _WITHOUT_KEY)
