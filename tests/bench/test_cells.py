"""A cell is a pure function of its specification."""

from dataclasses import fields, replace

import pytest

from tinycerb.atomic import read_json
from tinycerb.bench.cell import CellSpec, cell_specs, find_cell
from tinycerb.datasets import load_dataset
from tinycerb.errors import UsageError


@pytest.fixture(scope="module")
def spec(smoke_run) -> CellSpec:
    dataset = load_dataset(smoke_run.config.data)
    (only,) = cell_specs(smoke_run, dataset, "cerberos", "knockoff", "random")
    return only


def test_a_finished_cell_is_found_and_says_what_it_is(smoke_run, spec) -> None:
    cell = find_cell(smoke_run, spec)
    assert cell is not None
    assert cell["spec"]["digest"] == spec.digest()
    assert cell["result"]["queries_charged"] == 600
    assert [point["epoch"] for point in cell["result"]["curve"]] == [1, 2]
    assert cell["result"]["clone_accuracy"] == cell["result"]["curve"][-1]["clone_accuracy"]
    assert cell["spec"]["model_sha256"] == read_json(smoke_run.victim("cerberos") / "model.json")["sha256"]


def test_every_field_changes_the_digest(spec) -> None:
    others = {
        "schema_version": 2,
        "victim_seed": 9,
        "attacker_seed": 9,
        "attack": replace(spec.attack, epochs=9),
    }
    for field in fields(CellSpec):
        changed = replace(spec, **{field.name: others.get(field.name, "other")})
        assert changed.digest() != spec.digest(), field.name


def test_other_students_of_the_table_do_not_matter(spec) -> None:
    assert replace(spec, attack=replace(spec.attack, students=("batchnorm_cnn",))).digest() == spec.digest()


def test_an_unknown_selection_is_named(smoke_run) -> None:
    dataset = load_dataset(smoke_run.config.data)
    with pytest.raises(UsageError, match="known: fixed, random, mean"):
        cell_specs(smoke_run, dataset, "cerberos", "knockoff", "rondom")
