"""Clones that are stolen to be asked, and the rows that they are asked for."""

from pathlib import Path

import numpy as np

from tests.benchmarks.ownership_table.rows import attacks_of, row_name, rows_of
from tinycerb.attacks import attack_of, knows_key
from tinycerb.config import load_config
from tinycerb.datasets import load_dataset
from tinycerb.events import ignore
from tinycerb.verification.clones import steal
from tinycerb.verification.evasions import EVASIONS
from tinycerb.verification.removals import REMOVALS


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
        assert f"T1 clone of {victim}, label-only, asked as {victim} answers" in names
    assert all(row.seconds > 0 for row in rows)
