"""Misdirection as a defence of its own: its options, and that it is what one head of CERBEROS with its mix was."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from tinycerb.answers.selection import HEAD_SELECTIONS
from tinycerb.atomic import read_json
from tinycerb.config import Config, VictimConfig, load_config
from tinycerb.conversion.from_run import convert_victim
from tinycerb.converters.metadata import embed_metadata, read_metadata
from tinycerb.converters.model_file import read_model_file
from tinycerb.datasets import load_dataset
from tinycerb.defenses import DEFENSES, defense_of
from tinycerb.defenses.misdirection import Misdirection
from tinycerb.errors import UsageError
from tinycerb.events import ignore
from tinycerb.keras_models.legacy import keras
from tinycerb.run.victim import victims_of
from tinycerb.training.victim import train_dense, train_victim

OF_BEFORE = {"heads": 1, "losses": "random_teacher:0.2+mean_head:0.2", "selection": "fixed"}
TINY = (
    "data.train_images=192", "data.validation_images=64", "data.test_images=64", "model.width=0.25",
    "out_of_distribution.images=64", "training.batch_size=32",
)  # fmt: skip


def tiny(*victims: VictimConfig) -> Config:
    return replace(load_config("smoke", [*TINY, "attacks=[]"]), victims=victims)


def trained(config: Config, name: str, folder: Path) -> Path:
    """The folder of a victim that is trained and converted."""
    # Layers are numbered per process, and the numbers stand in the files.
    keras.backend.clear_session()
    dataset, dense, own = load_dataset(config.data), folder / "dense" / name, folder / name
    victim = victims_of(config)[name]
    train_dense(config, victim, dataset, dense, ignore)
    train_victim(config, victim, dataset, dense, own, ignore)
    convert_victim(config, victim, dataset, own, ignore)
    return own


def weights(path: Path) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def test_it_trains_the_very_network_that_one_head_of_cerberos_was(tmp_path: Path) -> None:
    old = VictimConfig("undefended", "cerberos", channel_ratio=0.5, options=OF_BEFORE)
    new = VictimConfig("undefended", "misdirection", channel_ratio=0.5)
    one, other = (trained(tiny(victim), "undefended", tmp_path / victim.defense) for victim in (old, new))
    first, second = weights(one / "model.h5"), weights(other / "model.h5")
    assert first.keys() == second.keys()
    assert len(first) > 20
    assert all(np.array_equal(first[name], second[name]) for name in first)
    files = [read_model_file(folder / "model.tflite") for folder in (one, other)]
    assert files[0].content != files[1].content
    assert embed_metadata(files[0].content, {}) == embed_metadata(files[1].content, {})
    cards = [read_metadata(file) or {} for file in files]
    assert {key for key in cards[0] if cards[0][key] != cards[1][key]} == {"defense"}
    # And the terms were on.
    histories = [read_json(folder / "training.json")["history"] for folder in (one, other)]
    assert histories[0] == histories[1]
    assert histories[0][-1]["defense_loss"] > 0.1


def test_one_head_needs_no_selection_and_several_are_drawn() -> None:
    assert defense_of(VictimConfig("v", "misdirection")).selection == "fixed"
    assert defense_of(VictimConfig("v", "misdirection", options={"heads": 3})).selection == "random"
    one = {"heads": 1, "losses": "mean_head"}
    assert defense_of(VictimConfig("v", "cerberos", options=one)).selection == "fixed"
    assert defense_of(VictimConfig("v", "cerberos")).selection == "random"
    assert defense_of(VictimConfig("v", "cerberos", options={"selection": "keyed"})).selection == "keyed"
    for name, options in (("misdirection", {}), ("cerberos", one)):
        with pytest.raises(UsageError, match=f"{name}.selection is 'keyed' with one head; allowed: fixed"):
            defense_of(VictimConfig("v", name, options={**options, "selection": "keyed"}))
    assert all(DEFENSES[name]().selection in HEAD_SELECTIONS for name in DEFENSES)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"teacher_weight": -1},
            "option teacher_weight is -1.0; allowed: 0 .left out. or more",
        ),
        ({"away_weight": 0, "teacher_weight": 0}, "both 0: allowed: one of them above 0"),
        ({"teacher": "secret"}, "defence 'misdirection': option teacher is 'secret'; allowed: random, independent"),
        ({"heads": 0}, "defence 'misdirection': option heads is 0; allowed: 1 or more"),
        ({"losses": "mean_head"}, "unknown key 'losses'"),
    ],
)
def test_wrong_options_are_named(options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        defense_of(VictimConfig("v", "misdirection", options=options))


def test_weights_of_zero_leave_a_term_out(context) -> None:
    import tensorflow as tf

    from tests.defenses.conftest import CLASSES, make_batch

    logits = [tf.constant(np.random.default_rng(0).normal(size=(20, CLASSES)).astype("f"))]
    batch = make_batch(context, logits, logits)
    both = [float(term) for term in Misdirection(teacher_weight=0.4, away_weight=0.1).prepare(context)(batch)]
    (taught,) = Misdirection(teacher_weight=1.0, away_weight=0.0).prepare(context)(batch)
    (away,) = Misdirection(teacher_weight=0.0, away_weight=1.0).prepare(context)(batch)
    assert both == pytest.approx([0.4 * float(taught), 0.1 * float(away)])


def test_the_list_names_it_and_ends_with_it(cli) -> None:
    listed = cli("defenses", "list").stdout.splitlines()
    assert any(line.startswith("  misdirection ") for line in listed)
    assert listed[-1].startswith("next: ")
    assert "--defense misdirection" in listed[-1]
    shown = cli("defenses", "show", "misdirection").stdout
    assert all(f"\n  {name} (" in shown for name in ("teacher_weight", "away_weight", "heads", "selection"))
    refused = cli("defenses", "show", "fortress")
    assert (refused.returncode, "--defense misdirection+top1" in refused.stderr) == (2, True)
