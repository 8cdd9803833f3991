"""Configuration: TOML to frozen dataclasses."""

import dataclasses
import re
from pathlib import Path

import pytest

from tinycerb import presets
from tinycerb.answers.outputs import OUTPUTS
from tinycerb.config import (
    AttackConfig,
    BenchConfig,
    Config,
    DataConfig,
    DistillationConfig,
    ModelConfig,
    OutOfDistributionConfig,
    PruningConfig,
    QuantizationConfig,
    TrainingConfig,
    VictimConfig,
    given_keys,
    load_config,
    parse_config,
)
from tinycerb.config.user_sources import Sources
from tinycerb.conversion.trained_model import SOURCES
from tinycerb.defenses.recommendation import recommended_victim
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.jobs.check_names import check_names
from tinycerb.options import options_of
from tinycerb.presets import EXPERIMENTS, RENAMED, current_name, preset_names

ROOT = Path(__file__).parents[2]
MINIMAL = 'name = "x"\nattacks = []\n[bench]\nbaseline = "a"\n[[victims]]\nname = "a"\n'


@pytest.mark.parametrize("preset", preset_names())
def test_presets_load_and_survive_a_round_trip(preset: str) -> None:
    config = load_config(preset)
    check_names(config)
    again = parse_config(config.to_toml(), "round trip")
    assert again == config
    assert again.digest() == config.digest()


def test_extends_merges_tables_and_replaces_arrays() -> None:
    smoke, demo = load_config("smoke"), load_config("demo")
    assert smoke.data.name == demo.data.name
    assert smoke.data.train_images != demo.data.train_images
    assert [victim.name for victim in smoke.victims] == ["undefended", "cerberos"]


def test_overrides_are_typed_and_change_the_digest() -> None:
    config = load_config("demo", ["training.dense_epochs=7", "model.width=2", "name=other"])
    assert (config.training.dense_epochs, config.model.width, config.name) == (7, 2.0, "other")
    assert config.digest() != load_config("demo").digest()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.dense_epoch=3", "did you mean 'dense_epochs'"),
        ("trainings.dense_epochs=3", "did you mean 'training'"),
        ("training.dense_epochs=many", "expected a whole number"),
        ("training.dense_epochs=true", "expected a whole number"),
        ("training.dense_epochs=0", "allowed: 1 or more"),
        ("model.width=-1", "allowed: above 0"),
        ("seed=-1", "seed is -1"),
        ("bench.baseline=nobody", "allowed: undefended"),
        ("victims.name=x", "name one of its entries: victims.NAME.name"),
        ("just-a-word", "expected section.key=value"),
        ("name=../up", "use 1 to 40 of a-z"),
    ],
)
def test_wrong_keys_and_values_name_the_way_out(override: str, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace(".", r"\.")):
        load_config("demo", [override])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.test_images=-1", "data.test_images is -1; allowed: 0 (all) or more"),
        ("data.validation_images=-1", "data.validation_images is -1; allowed: 0 (a tenth) or more"),
        ("model.width=9", "model.width is 9.0; allowed: above 0, at most 8"),
        ("model.head_units=2000", "model.head_units is 2000; allowed: 0 (none) to 1024"),
        ("training.learning_rate=1", "training.learning_rate is 1.0; allowed: above 0, below 1"),
        ("pruning.multiple=0", "pruning.multiple is 0; allowed: 1 to 64"),
        ("quantization.method=awar", "quantization.method is 'awar' (did you mean 'aware'?); allowed: aware, post"),
        ("quantization.out_of_distribution_share=1", "out_of_distribution_share is 1.0; allowed: 0 to below 1"),
        ("out_of_distribution.families=[]", "out_of_distribution.families is empty; name at least one"),
        ("bench.attacker_seeds=[1, 1]", "bench.attacker_seeds is [1, 1]; allowed: each one once"),
        ("bench.budgets=[-1]", "bench.budgets has -1; allowed: 0 to 2147483647"),
        ("victims.cerberos.channel_ratio=1", "victims.cerberos.channel_ratio is 1.0; allowed: 0 to 0.9"),
        ("victims.cerberos.flash_bytes=-1", "victims.cerberos.flash_bytes is -1; allowed: 0 (no budget) or more"),
        ("victims.cerberos.minimum_accuracy=2", "minimum_accuracy is 2.0; allowed: 0 (no gate) to 1"),
        ("attacks.knockoff.output=label", "attacks.knockoff.output is 'label'; allowed: probs, top1, rounded"),
        ("attacks.knockoff.students=[]", "attacks.knockoff.students is empty; name at least one"),
        ("attacks.knockoff.learning_rates=[2.0]", "learning_rates has 2.0; allowed: above 0, below 1"),
        ("attacks.knockoff.prior_correction=2", "attacks.knockoff.prior_correction is 2.0; allowed: 0 to 1"),
    ],
)
def test_a_value_out_of_range_is_named_with_the_allowed_ones(override: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        load_config("smoke", [override])


@pytest.mark.parametrize(
    "section",
    [
        AttackConfig, BenchConfig, DataConfig, DistillationConfig, ModelConfig, OutOfDistributionConfig, PruningConfig,
        QuantizationConfig, TrainingConfig, VictimConfig,
    ],
)  # fmt: skip
def test_every_key_of_a_section_is_declared_with_its_meaning(section: type) -> None:
    known = options_of(section)
    assert set(known) == {field.name for field in dataclasses.fields(section)}
    assert all(len(option.limits.meaning) > 5 for option in known.values())


def test_choices_are_what_is_registered() -> None:
    """Sections stand below the rooms that register these."""
    assert set(options_of(AttackConfig)["output"].limits.choices) == set(OUTPUTS)
    assert set(options_of(QuantizationConfig)["method"].limits.choices) == set(SOURCES)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(UsageError, match="'name' is missing"):
        parse_config("attacks = []\nvictims = []", "test")


def test_names_are_unique() -> None:
    with pytest.raises(UsageError, match="used 2 times"):
        parse_config(MINIMAL + '[[victims]]\nname = "a"\n', "test")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('defense = "cerberus"', "did you mean 'cerberos'"),
        ('defense = "cerberos"\noptions = { headz = 2 }', "did you mean 'heads'"),
        ('defense = "cerberos"\noptions = { heads = 1 }', "heads is 1; allowed: 2 or more"),
    ],
)
def test_a_wrong_defence_shows_before_any_work(line: str, message: str) -> None:
    config = parse_config(MINIMAL + line, "test")
    with pytest.raises(UsageError, match=message):
        check_names(config)


def test_unknown_preset_and_missing_file() -> None:
    with pytest.raises(UsageError, match="did you mean 'demo'"):
        load_config("demoo")
    with pytest.raises(EnvironmentProblem, match=r"cannot read the configuration nowhere\.toml"):
        load_config("nowhere.toml")


def test_a_preset_s_old_name_is_answered_with_the_new_one(capsys, tmp_path) -> None:
    sources = Sources(data="mine.npz")
    current_name.cache_clear()
    assert load_config("own", [], sources) == load_config("custom", [], sources)
    assert "data.source" not in given_keys("own")
    assert capsys.readouterr().err == "the preset 'own' is called 'custom' now\n"
    current_name.cache_clear()
    (tmp_path / "mine.toml").write_text('extends = "own"\nname = "mine"\n[data]\nsource = "mine.npz"\n')
    assert load_config(str(tmp_path / "mine.toml")).training == load_config("custom", [], sources).training
    assert capsys.readouterr().err == "the preset 'own' is called 'custom' now\n"
    assert set(RENAMED.values()) <= set(preset_names())
    assert not set(RENAMED) & set(preset_names())


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_preset_that_is_an_experiment_now_is_found_in_its_file(name: str, capsys, tmp_path) -> None:
    current_name.cache_clear()
    (tmp_path / "mine.toml").write_text(f'extends = "{name}"\n[training]\ndense_epochs = 9\n')
    assert load_config(name) == load_config(str(ROOT / EXPERIMENTS[name]))
    assert load_config(str(tmp_path / "mine.toml")).victims == load_config(name).victims
    assert capsys.readouterr().err == f"the preset {name!r} is a file now: docs/experiments/{name}.toml\n"
    assert name not in preset_names()


def test_without_the_repository_the_file_is_named(monkeypatch, tmp_path) -> None:
    current_name.cache_clear()
    monkeypatch.setattr(presets, "_REPOSITORY", tmp_path)
    with pytest.raises(UsageError, match=r"'compression' is a file of .* now: docs/experiments/compression\.toml"):
        load_config("compression")


def test_demo_and_custom_train_the_recommended_defence() -> None:
    """Beside what it is compared with, on the images that the fortress is trained with."""
    families = load_config("fortress").out_of_distribution.families
    for config in (load_config("demo"), load_config("custom", [], Sources(data="mine.npz"))):
        assert [victim.name for victim in config.victims] == ["undefended", "pruned", "cerberos", "misdirection"]
        assert recommended_victim(config) == "misdirection"
        assert config.out_of_distribution.families == families
        assert config.out_of_distribution.images == 40_000


def test_configurations_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_config("demo").seed = 3  # type: ignore[misc]
    assert dataclasses.is_dataclass(Config)


def test_extends_is_beside_the_file_and_never_in_a_circle(tmp_path) -> None:
    (tmp_path / "base.toml").write_text('extends = "demo"\nname = "base"\n')
    (tmp_path / "mine.toml").write_text('extends = "base.toml"\n[training]\ndense_epochs = 9\n')
    config = load_config(str(tmp_path / "mine.toml"))
    assert (config.name, config.training.dense_epochs) == ("base", 9)
    (tmp_path / "loop.toml").write_text('extends = "loop.toml"\n')
    with pytest.raises(UsageError, match="round in a circle"):
        load_config(str(tmp_path / "loop.toml"))


@pytest.mark.parametrize(
    ("content", "message"), [(b"extends = 3", "extends is 3"), (b"\xff\xfe", "not UTF-8"), (b"a =", "not valid TOML")]
)
def test_files_that_are_no_configuration(tmp_path, content: bytes, message: str) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        load_config(str(path))


def test_an_entry_of_an_array_is_set_by_its_name() -> None:
    config = load_config("smoke", ["attacks.knockoff.epochs=7", "victims.cerberos.options.heads=2"])
    assert (config.attack("knockoff").epochs, config.attack("knockoff").budget) == (7, 600)
    assert config.victim("cerberos").options["heads"] == 2


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("attacks.knockof.epochs=7", r"no 'knockof' \(did you mean 'knockoff'\?\); known: knockoff"),
        ("attacks.epochs=7", r"name one of its entries: attacks\.NAME\.epochs \(knockoff\)"),
        ("seed.x=7", "'seed' is not a table of single values; edit the TOML file"),
        ("seed.x.y=7", "there is no 'x'; known: none"),
        ("seed=" + "9" * 5000, "expected a whole number"),
        ("seed=" + "[" * 5000, "expected a whole number"),
    ],
)
def test_what_cannot_be_set_is_told(override: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        load_config("smoke", [override])
