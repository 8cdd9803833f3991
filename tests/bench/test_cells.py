"""A cell is a pure function of its specification."""

import shutil
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from tinycerb.atomic import read_json
from tinycerb.bench.cell import CellSpec, cell_specs, find_cell
from tinycerb.bench.stealing import run_cell
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import image_fingerprints
from tinycerb.datasets.query_pools import load_animal_mnist
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.events import ignore
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import write_arrays


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
        "schema_version": 9,
        "learning_rate": 9.0,
        "victim_seed": 9,
        "attacker_seed": 9,
        "device_seed": 9,
        "attack": replace(spec.attack, epochs=9),
        "code": replace(spec.code, student="other"),
    }
    for field in fields(CellSpec):
        changed = replace(spec, **{field.name: others.get(field.name, "other")})
        assert changed.digest() != spec.digest(), field.name


def test_other_students_of_the_table_do_not_matter(spec) -> None:
    assert replace(spec, attack=replace(spec.attack, students=("batchnorm_cnn",))).digest() == spec.digest()


def test_an_unknown_selection_is_named(smoke_run) -> None:
    dataset = load_dataset(smoke_run.config.data)
    with pytest.raises(UsageError, match="known: coarse_keyed, fixed, keyed, random, seeded, mean"):
        cell_specs(smoke_run, dataset, "cerberos", "knockoff", "rondom")


def test_the_attackers_seed_does_not_foretell_the_devices_heads(spec) -> None:
    guessed, drawn = (
        np.random.default_rng(seed).integers(0, 3, 3000) for seed in (spec.attacker_seed, spec.device_seed)
    )
    assert abs((guessed == drawn).mean() - 1 / 3) < 0.05


def test_a_swapped_model_file_is_noticed(smoke_run, tmp_path) -> None:
    copy = RunDirectory(Path(shutil.copytree(smoke_run.path, tmp_path / "run")), smoke_run.config)
    content = bytearray(copy.model("cerberos").read_bytes())
    content[len(content) // 2] ^= 1
    copy.model("cerberos").write_bytes(content)
    with pytest.raises(EnvironmentProblem, match=r"model\.tflite is damaged: SHA-256 .* tinycerb convert"):
        cell_specs(copy, load_dataset(copy.config.data), "cerberos", "knockoff", "random")


def test_a_cell_does_not_depend_on_what_ran_before_it(smoke_run, tmp_path) -> None:
    """Alone and from remembered answers, it has the same result as in the run."""
    copy = RunDirectory(Path(shutil.copytree(smoke_run.path, tmp_path / "run")), smoke_run.config)
    dataset = load_dataset(copy.config.data)
    (spec,) = cell_specs(copy, dataset, "cerberos", "knockoff", "random")
    before = read_json(copy.cell(spec.digest()))
    copy.cell(spec.digest()).unlink()
    run_cell(copy, dataset, spec, ignore)
    assert read_json(copy.cell(spec.digest())) == before


def test_an_attackers_image_that_the_defender_has_trained_on_stops_the_cell(smoke_run, tmp_path) -> None:
    copy = RunDirectory(Path(shutil.copytree(smoke_run.path, tmp_path / "run")), smoke_run.config)
    dataset = load_dataset(copy.config.data)
    (spec,) = cell_specs(copy, dataset, "cerberos", "knockoff", "random")
    copy.cell(spec.digest()).unlink()
    shared = image_fingerprints(load_animal_mnist()[:3])
    write_arrays(copy.victim("cerberos") / "out_of_distribution.npz", {"fingerprints": shared})
    with pytest.raises(UsageError, match="3 images of the pool animal_mnist are also in the out-of-distribution"):
        run_cell(copy, dataset, spec, ignore)
    assert not copy.cell(spec.digest()).exists()
