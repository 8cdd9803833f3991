"""`--model`, `--data` and `--query-pool` as a newcomer gets them wrong, and what they turn into."""

import os
from pathlib import Path

import numpy as np
import pytest

from tinycerb.cli.prune import prune
from tinycerb.config import VictimConfig, load_config
from tinycerb.config.user_sources import Sources
from tinycerb.defenses import defense_of
from tinycerb.errors import UsageError
from tinycerb.workflow.fitting import _fewer_heads, fit_to_inputs
from tinycerb.workflow.user_inputs import brings_own, fit_and_say

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(0)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A directory with sound and with broken things in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    images = RNG.integers(0, 256, (90, 16, 16, 1)).astype(np.uint8)
    np.savez("good.npz", images=images, labels=np.arange(90) % 3)
    np.savez("floats.npz", images=images / 255.0, labels=np.arange(90) % 3)
    np.savez("pool.npz", images=255 - images[:40])
    np.savez("wide.npz", images=RNG.integers(0, 256, (40, 16, 20, 1)).astype(np.uint8))
    np.savez("few.npz", images=images[:20], labels=np.arange(20) % 3)
    Path("broken.npz").write_bytes(b"PK\x03\x04 and no more")
    Path("three.py").write_text(
        "import keras\nL = keras.layers\n\ndef build():\n"
        "    return keras.Sequential([L.Input((16, 16, 1)), L.Flatten(), L.Dense(3)])\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "custom"], 2, "data.source is empty; name your data with --data"),
        (["run", "--model", "x:build"], 2, "data.source is empty; name your data with --data"),
        (["run", "--data", "nowhere.npz"], 3, "there is no"),
        (["run", "--data", "broken.npz"], 3, "broken.npz is corrupt"),
        (["train", "--data", "floats.npz"], 2, "np.rint(images * 255).astype(np.uint8)"),
        (["train", "--data", "few.npz"], 2, "14 training images; allowed: 50 or more"),
        (["train", "--data", "nowhere:load"], 2, "cannot import 'nowhere'"),
        (["train", "--data", "good.npz", "--query-pool", "wide.npz"], 2, "images of 16x20x1, the victim takes 16x16x1"),
        (["train", "--data", "good.npz", "--query-pool", "animal_mnist"], 2, "choose another query_pool"),
        (["train", "--data", "good.npz", "--query-pool", "animals"], 2, "did you mean 'animal_mnist'"),
        (["train", "--data", "good.npz", "--query-pool", "good.npz"], 2, "are also the victim's own"),
        (
            ["train", "--resume", "x", "--data", "good.npz"],
            2,
            "leave out --set, --out, --force, --model, --data, --query-pool",
        ),
        (["train", "--data", "good.npz", "--model", "three:build"], 2, "this is a Keras 3 model"),
        (["train", "--data", "good.npz", "--model", "model.pt"], 2, "allowed: package.module:build, or a file"),
        (
            [
                "train",
                "--data",
                "good.npz",
                "--set",
                'victims=[{name="undefended",defense="cerberos",options={heads=4}}]',
            ],
            2,
            "4 heads; allowed: 1 to 3, the number of classes",
        ),
    ],
)
def test_what_does_not_fit_is_said_before_there_is_a_run(cli, folder, arguments, code: int, message: str) -> None:
    finished = cli(*arguments, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert finished.returncode == code, finished.stderr
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not (folder / "runs").exists()


def test_data_without_a_pool_are_not_attacked_with_a_pool_made_for_others(folder) -> None:
    for preset in ("custom", "demo"):
        config = load_config(preset, [], Sources(data="good.npz"))
        assert config.attacks == ()
        assert (config.data.name, config.data.source) == ("user", f"{folder}/good.npz")


def test_a_query_pool_is_asked_by_every_attack_but_the_reference(folder) -> None:
    config = load_config("custom", [], Sources(data="good.npz", query_pool="pool.npz"))
    assert [(attack.name, attack.query_pool) for attack in config.attacks] == [
        ("knockoff", f"{folder}/pool.npz"),
        ("knockoff-copies", f"{folder}/pool.npz"),
        ("own-kind", "in_distribution"),
    ]
    registered = load_config("custom", [], Sources(data="good.npz", query_pool="animal_mnist"))
    assert {attack.query_pool for attack in registered.attacks} == {"animal_mnist", "in_distribution"}


def test_a_folder_needs_no_slash_on_the_command_line(folder) -> None:
    (folder / "photos").mkdir()
    config = load_config("custom", [], Sources(query_pool="photos"))
    assert config.attacks[0].query_pool == f"{folder}/photos"


def test_paths_in_a_file_count_from_the_file(folder, tmp_path) -> None:
    (tmp_path / "deep").mkdir()
    text = (
        'extends = "custom"\n[data]\nsource = "../good.npz"\n[model]\nbackbone = "user"\nsource = "nets.small:build"\n'
    )
    (tmp_path / "deep" / "mine.toml").write_text(text + '[[attacks]]\nname = "k"\nquery_pool = "./pool"\n')
    config = load_config("deep/mine.toml")
    assert config.data.source == f"{tmp_path}/good.npz"
    assert config.model.source == "nets.small:build"
    assert config.attacks[0].query_pool == f"{tmp_path}/deep/pool"
    assert brings_own(config)
    assert not brings_own(load_config("demo"))


def test_heads_that_nobody_asked_for_fit_the_classes() -> None:
    assert defense_of(_fewer_heads(VictimConfig("v", "cerberos"), 2)).heads == 2
    assert defense_of(_fewer_heads(VictimConfig("v", "cerberos"), 5)).heads == 3
    asked = VictimConfig("v", "cerberos", options={"heads": 3})
    assert _fewer_heads(asked, 2) == asked
    assert _fewer_heads(VictimConfig("v"), 2) == VictimConfig("v")


def test_a_model_source_without_the_name_user_is_refused() -> None:
    with pytest.raises(UsageError, match=r"model\.source is for model\.backbone = 'user'; it is 'demo_net'"):
        load_config("demo", ["model.source=x:build"])


def test_prune_agrees_with_run_on_two_classes(folder, capsys) -> None:
    images = RNG.integers(0, 256, (160, 16, 16, 1)).astype(np.uint8)
    np.savez("two.npz", images=images, labels=np.arange(160) % 2)
    prune("own", data="two.npz")
    assert "cerberos: demo_net" in capsys.readouterr().out
    fitted, _ = fit_to_inputs(load_config("own", [], Sources(data="two.npz")), ())
    assert defense_of(fitted.victim("cerberos")).heads == 2


def test_what_nobody_uses_is_said_by_every_command_that_takes_data(folder, capsys) -> None:
    images = RNG.integers(0, 256, (90, 16, 16, 1)).astype(np.uint8)
    np.savez("more.npz", images=images, labels=np.arange(90) % 3, extra=np.zeros(4))
    np.savez("twice.npz", images=np.concatenate([255 - images[:40]] * 2))
    config = load_config("custom", [], Sources(data="more.npz", query_pool="twice.npz"))
    fit_and_say(config, ())
    said = capsys.readouterr().err.splitlines()
    assert f"not used of {folder}/more.npz: the arrays extra (4 entries)" in said
    assert f"not used of the query pool {folder}/twice.npz: 40 of 80 images, copies of the others" in said
    prune("custom", data="more.npz")
    assert f"not used of {folder}/more.npz: the arrays extra (4 entries)" in capsys.readouterr().err
