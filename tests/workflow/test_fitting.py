"""Presets on small data and small pools: counts that do not fit are lowered and said, users' own are refused."""

import numpy as np
import pytest

from tinycerb.atomic import read_json
from tinycerb.attacks import attack_of
from tinycerb.bench.cell import load_in_distribution, load_pool
from tinycerb.bench.metrics import _not_measured
from tinycerb.config import Config, given_keys, load_config
from tinycerb.config.user_sources import Sources
from tinycerb.datasets import load_dataset
from tinycerb.defenses import defense_of
from tinycerb.errors import UsageError
from tinycerb.presets import preset_names
from tinycerb.run.directory import RunDirectory
from tinycerb.workflow.fitting import fit_to_inputs
from tinycerb.workflow.user_inputs import pin_inputs

RNG = np.random.default_rng(2)
IMAGES = RNG.integers(0, 256, (760, 10, 10, 1)).astype(np.uint8)
DATA = {
    "train_images": IMAGES[:600],
    "train_labels": np.arange(600) % 3,
    "test_images": IMAGES[600:],
    "test_labels": np.arange(160) % 3,
}
MATRICES = [name for name in preset_names() if load_config(name).bench.budgets]


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Sources:
    folder = tmp_path_factory.mktemp("small")
    np.savez(folder / "data.npz", **DATA)
    np.savez(folder / "pool.npz", images=RNG.integers(0, 256, (70, 10, 10, 1)).astype(np.uint8))
    return Sources(data=str(folder / "data.npz"), query_pool=str(folder / "pool.npz"))


def fitted(preset: str, sources: Sources, *overrides: str):
    return fit_to_inputs(load_config(preset, overrides, sources), given_keys(preset, overrides))


def check(config: Config) -> None:
    """What a run checks before anything is trained."""
    dataset = load_dataset(config.data)
    assert all(defense_of(victim).heads <= dataset.classes for victim in config.victims)
    for attack in config.attacks:
        pool, own = load_pool(attack, dataset), load_in_distribution(attack, dataset, config.seed)
        attack_of(attack).check(attack, len(pool), len(own))


@pytest.mark.parametrize("preset", [name for name in preset_names() if name not in MATRICES])
def test_every_preset_takes_small_data_and_a_small_pool(sources, preset: str) -> None:
    config, _ = fitted(preset, sources)
    check(config)
    assert len(load_dataset(config.data).validation.images) == 60
    assert [attack.name for attack in config.attacks] == [
        each.name for each in load_config(preset, [], sources).attacks
    ]
    assert all(victim.minimum_accuracy == 0 for victim in config.victims)


def test_what_was_asked_and_what_is_used(sources) -> None:
    config, made = fitted("fortress", sources)
    assert [str(each) for each in made if each.key.startswith("data.")] == [
        "data.validation_images is 60 instead of 5,000: a tenth of your 600 training images"
    ]
    found = {each.key: (each.asked, each.used) for each in made}
    assert found == {
        "data.validation_images": (5000, 60),
        # Two copies of each image are asked about, too.
        "attacks.active-k-center.budget": (9716, 210),
        "attacks.own-kind-500.budget": (500, 60),
        "attacks.own-and-foreign.in_distribution_images": (500, 60),
    }
    assert config.attack("jbda").budget == 19432
    # Repeats are charged: the largest budget that these images can be spent on.
    repeats, made = fitted("default", sources)
    assert (
        repeats.attack("repeat-mean").budget,
        {each.key: each.used for each in made}["attacks.repeat-mean.budget"],
    ) == (
        840,
        840,
    )
    assert repeats.attack("disguide-lite").query_pool == "none"
    smoke, made = fitted("smoke", sources)
    assert (smoke.data.train_images, smoke.data.validation_images, smoke.data.test_images) == (540, 60, 160)
    gates = [str(each) for each in fitted("demo", sources)[1] if "minimum" in each.key]
    assert "victims.undefended.minimum_accuracy is 0 instead of 0.88: a bar for the preset's own data" in gates


def test_a_pool_larger_than_a_preset_s_budget_is_no_dead_end(sources, tmp_path) -> None:
    np.savez(tmp_path / "large.npz", images=RNG.integers(0, 256, (21000, 8, 8, 1)).astype(np.uint8))
    np.savez(
        tmp_path / "data.npz", **{key: array[:, :8, :8] if array.ndim > 1 else array for key, array in DATA.items()}
    )
    config, made = fitted("fortress", Sources(data=str(tmp_path / "data.npz"), query_pool=str(tmp_path / "large.npz")))
    check(config)
    assert {each.key: each.used for each in made}["attacks.jbda.budget"] == 42000


def test_what_users_set_themselves_is_refused_with_the_range(sources, tmp_path) -> None:
    for key, value, most in (("validation_images", 700, 599), ("train_images", 550, 540), ("test_images", 161, 160)):
        with pytest.raises(UsageError, match=rf"data\.{key} is {value}; .* allowed: 0 to {most}"):
            fitted("fortress", sources, f"data.{key}={value}")
    own = tmp_path / "mine.toml"
    own.write_text(
        'extends = "demo"\n[data]\nvalidation_images = 200\n'
        '[[attacks]]\nname = "knockoff"\nbudget = 100\nquery_pool = "x"\n'
    )
    assert given_keys(str(own), ["seed=3"]) == {"data.validation_images", "attacks", "seed"}
    config, made = fitted(str(own), sources)
    assert (config.data.validation_images, config.attacks[0].budget) == (200, 100)
    assert all(each.key.startswith("victims.") for each in made)
    with pytest.raises(
        UsageError, match=r"attacks.knockoff.budget is 100, but .* 70 distinct images; allowed: 0 .all. to 70"
    ):
        check(config)


@pytest.mark.parametrize("preset", MATRICES)
def test_fixed_budgets_of_a_matrix_are_refused(sources, preset: str) -> None:
    assert MATRICES
    with pytest.raises(UsageError, match=r"bench.budgets is .*distinct images") as refused:
        fitted(preset, sources)
    budgets = list(load_config(preset).bench.budgets)
    assert str(budgets) in str(refused.value)
    config, _ = fitted(preset, sources, "bench.budgets=[50]")
    assert config.bench.budgets == (50,)


def test_it_is_said_in_one_line_each_and_stands_in_env_json_metrics_and_report(sources, tmp_path, capsys) -> None:
    pinned, inputs = pin_inputs(load_config("fortress", [], sources), frozenset())
    said = capsys.readouterr().err.splitlines()
    assert said.count("data.validation_images is 60 instead of 5,000: a tenth of your 600 training images") == 1
    assert len([line for line in said if " instead of " in line]) == len(inputs["adjusted"]) == 4
    assert inputs["adjusted"][0] == {
        "key": "data.validation_images",
        "asked": 5000,
        "used": 60,
        "reason": "a tenth of your 600 training images",
    }
    run = RunDirectory.create(pinned, tmp_path / "run", False, inputs)
    assert read_json(run.path / "env.json")["inputs"]["adjusted"] == inputs["adjusted"]
    assert RunDirectory.open(run.path).config.data.validation_images == 60
    # Which metrics.json takes over, and pages and model card print.
    (note, *_) = _not_measured(run, {})
    assert "data.validation_images is 60 instead of 5,000 (a tenth of your 600 training images), attacks" in note


def test_an_entrys_value_that_the_user_has_set_is_kept(sources) -> None:
    config, made = fitted("custom", sources, "attacks.knockoff.budget=71", "victims.pruned.minimum_accuracy=0.5")
    assert config.attack("knockoff").budget == 71
    assert config.victim("pruned").minimum_accuracy == 0.5
    with pytest.raises(UsageError, match=r"attacks\.knockoff\.budget is 71"):
        check(config)
    assert not [adjustment for adjustment in made if adjustment.key.startswith(("attacks.knockoff.", "victims.pruned"))]
