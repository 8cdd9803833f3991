"""Clones that are stolen to be asked, and the rows that they are asked for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.ownership_table.rows import attacks_of, row_name, rows_of
from tinycerb.attacks import AttackInputs, attack_of, knows_key
from tinycerb.attacks.building_blocks.distill import predictor
from tinycerb.attacks.building_blocks.pretraining import Pretrained
from tinycerb.attacks.building_blocks.students import STUDENTS
from tinycerb.config import load_config
from tinycerb.datasets import load_dataset
from tinycerb.errors import InternalError, UsageError
from tinycerb.events import ignore
from tinycerb.keras_models.legacy import keras
from tinycerb.verification import clones
from tinycerb.verification.clones import Clone, made_last, steal
from tinycerb.verification.evasions import EVASIONS
from tinycerb.verification.removals import REMOVALS

ASSETS = Path(__file__).parents[1] / "assets"


def test_a_clone_is_stolen_through_the_file_s_answers_and_kept(smoke_run, tmp_path: Path) -> None:
    config, dataset = smoke_run.config, load_dataset(smoke_run.config.data)
    (attack,) = config.attacks
    file = smoke_run.model("undefended")
    first, again, other = (
        steal(file, "undefended", attack, config, dataset, seed, tmp_path, ignore) for seed in (1, 1, 2)
    )
    assert (first.student, len(first.members)) == (attack.students[0], attack.members)
    images = dataset.test.images[:200]
    assert first.labels(images).shape == (200,)
    assert (first.labels(images) == again.labels(images)).all()
    assert any(
        not np.array_equal(one, two)
        for one, two in zip(first.members[0].get_weights(), other.members[0].get_weights(), strict=True)
    )
    # What the victim has answered is asked once.
    assert len(list(tmp_path.glob("*.npz"))) == 2


def test_a_clone_starts_from_what_its_student_was_pretrained_on(monkeypatch, tmp_path: Path) -> None:
    config = load_config("demo")
    dataset = load_dataset(replace(config.data, train_images=100, validation_images=50, test_images=100))
    attack = replace(config.attacks[0], pretraining="tiny_imagenet_attacker")
    known = [array * 0 + 0.5 for array in STUDENTS["lenet"](dataset.image_shape, 3).get_weights()[:-2]]
    asked_for: list[tuple] = []

    def pretrained_student(*wanted: object) -> Pretrained:
        asked_for.append((wanted[0], *wanted[2:6]))
        return Pretrained(known, 0.25)

    class Thief:
        def run(self, inputs: AttackInputs) -> None:
            inputs.on_epoch(1, predictor([inputs.build()]))

    monkeypatch.setattr(clones, "pretrained_student", pretrained_student)
    monkeypatch.setattr(clones, "digest_labelled", lambda pool, dataset: f"digest of {pool}")
    monkeypatch.setattr(clones, "attack_of", lambda config: Thief())
    file = ASSETS / "cerberos_demo.tflite"
    (network,) = steal(file, "cerberos", attack, config, dataset, 5, tmp_path, ignore).members
    assert asked_for == [
        ("lenet", "tiny_imagenet_attacker", dataset.image_shape, 5, "digest of tiny_imagenet_attacker"),
    ]
    for found, wanted in zip(network.get_weights(), known, strict=False):
        np.testing.assert_array_equal(found, wanted)
    assert len(network.get_weights()) == len(known) + 2


def test_the_table_has_a_row_for_everything_and_asks_nobody_who_has_the_key() -> None:
    config = load_config("ownership")
    rows = rows_of(None, "ownership", 6)
    names = [row.name for row in rows]
    assert len(set(names)) == len(names)
    attacks = attacks_of(config)
    assert {attack.name for attack in config.attacks} - {attack.name for attack in attacks} == {"shadow-knows-key"}
    assert not [attack for attack in attacks if knows_key(attack_of(attack))]
    assert {row_name(attack, 1) for attack in attacks} <= set(names)
    for threat in ("T1", "T2"):
        assert {f"removal from the best {threat} clone, {name}" for name in REMOVALS} <= set(names)
    assert {f"evasion by the best T1 clone, {name}" for name in EVASIONS} <= set(names)
    assert sum(name.startswith("independent network") for name in names) == 3
    for victim in ("undefended", "pruned", "cerberos", "grad2-watermark"):
        for attack in ("label-only", "knockoff"):
            assert f"T1 clone of {victim}, {attack}, asked as {victim} answers" in names
    assert all(row.seconds > 0 for row in rows)


def test_a_clone_is_known_by_what_it_answers_though_more_networks_than_are_configured_are_it() -> None:
    """Co-teaching trains two where one is configured, and answers with the mean."""
    (attack,) = [attack for attack in load_config("ownership").attacks if attack.name == "co-teaching"]
    assert attack.members == 1
    rng = np.random.default_rng(4)
    images = rng.integers(0, 256, (100, 8, 8, 1), np.uint8)
    built = []
    for _ in range(3):
        image = keras.layers.Input((8, 8, 1))
        built.append(keras.Model(image, keras.layers.Dense(5)(keras.layers.Flatten()(image))))
        built[-1].set_weights([rng.standard_normal((64, 5)), np.zeros(5)])
    for count in (1, 2):
        said = Clone(attack.students[0], tuple(built[-count:])).labels(images)
        assert made_last(built, attack, said, images) == tuple(built[-count:])
    with pytest.raises(InternalError, match="co-teaching: the clone is not the networks that were made last"):
        made_last(built, attack, (said + 1) % 5, images)


def test_further_removals_are_rows_of_the_best_t1_clone() -> None:
    text = "wrk,own=500,labels=clone"
    usual = {row.name for row in rows_of(None, "ownership", 6)}
    assert {row.name for row in rows_of(None, "ownership", 6, [text])} - usual == {
        f"removal from the best T1 clone, {text}"
    }
    with pytest.raises(UsageError, match="wrk' has no option 'owm'"):
        rows_of(None, "ownership", 6, ["wrk,owm=500"])
