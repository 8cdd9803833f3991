"""Filters, dry runs, budgets that cannot be used, seeds: what a matrix consists of."""

import json
from dataclasses import replace

import pytest

from tests.conftest import run_cli
from tests.matrix.conftest import CELLS
from tinycerb.config import load_config
from tinycerb.errors import UsageError
from tinycerb.matrix.cells import list_cells, take_stock
from tinycerb.matrix.only import choose_cells
from tinycerb.matrix.seeds import seed_runs
from tinycerb.matrix.work import victim_tasks
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import write_bytes


def test_budgets_that_an_attack_cannot_use_are_left_out(undisturbed) -> None:
    cells, skipped = list_cells([undisturbed])
    assert len({cell.digest for cell in cells}) == len(cells) == CELLS
    assert [(each.attack, each.budget) for each in skipped] == [("own-kind", 600)]
    assert {cell.spec.selection for cell in cells if cell.spec.victim == "undefended"} == {"fixed"}


@pytest.mark.parametrize(
    ("only", "count"),
    [
        (["victim=cerberos"], 6),
        (["attack=knock*", "victim=cerberos"], 4),
        (["selection=mean", "selection=fixed"], 6),
        (["threat=T2", "budget=200"], 3),
    ],
)
def test_filters(undisturbed, only, count) -> None:
    assert len(choose_cells(list_cells([undisturbed])[0], only)) == count


@pytest.mark.parametrize(
    ("only", "said"),
    [
        ("victim", "expected key=pattern"),
        ("victm=cerberos", "unknown key 'victm' .did you mean 'victim'"),
        ("attack=dfme", "matches no cell; attack is one of: knockoff, own-kind"),
    ],
)
def test_wrong_filters(undisturbed, only, said) -> None:
    with pytest.raises(UsageError, match=said):
        choose_cells(list_cells([undisturbed])[0], [only])


def test_a_dry_run_makes_nothing(undisturbed, fresh) -> None:
    finished = run_cli("bench", "matrix", "ci", "--out", fresh, "--dry-run", "--json")
    assert finished.returncode == 0, finished.stderr
    plan = json.loads(finished.stdout)
    assert len(plan["cells"]) == 18
    assert plan["seconds"] == pytest.approx(sum(cell["seconds"] for cell in plan["cells"]))
    assert not fresh.exists()
    listed = run_cli("bench", "matrix", "--resume", undisturbed.path, "--dry-run", "--only", "threat=T2")
    assert listed.stdout.count("done") == 3


def test_an_unknown_preset() -> None:
    finished = run_cli("bench", "matrix", "defualt", "--dry-run")
    assert finished.returncode == 2
    assert "unknown preset 'defualt' (did you mean 'default'?)" in finished.stderr


def test_every_victim_seed_has_a_run_of_its_own(tmp_path) -> None:
    config = load_config("smoke", ["bench.victim_seeds=[1,2]"])
    root = RunDirectory.create(config, tmp_path / "run", False)
    (root.path / "seeds" / "2").mkdir(parents=True)
    first, second = seed_runs(root)
    assert (first.config.seed, second.config.seed) == (1, 2)
    assert RunDirectory.open(root.path / "seeds" / "2").config == second.config
    with pytest.raises(UsageError, match="without seed = 3"):
        load_config("smoke", ["bench.victim_seeds=[1,2]", "seed=3"])


def test_a_cell_of_another_specification_under_its_name_is_damaged(matrix, undisturbed) -> None:
    cells, _ = list_cells([matrix])
    first, second = (undisturbed.cell(cell.digest).read_bytes() for cell in cells[:2])
    # In the manifest both: it is the specification inside that does not fit the first one's name.
    write_bytes(matrix.cell(cells[0].digest), second)
    write_bytes(matrix.cell(cells[1].digest), second)
    finished, damaged = take_stock(cells)
    assert list(finished) == [cells[1].digest]
    assert len(damaged) == 1
    assert matrix.cell(cells[0].digest).with_suffix(".json.damaged").read_bytes() == second != first


def test_seeds_of_attackers_are_cells_of_their_own(undisturbed) -> None:
    bench = replace(undisturbed.config.bench, attacker_seeds=(1001, 7))
    changed = RunDirectory(undisturbed.path, replace(undisturbed.config, bench=bench))
    assert {cell.digest for cell in list_cells([undisturbed])[0]} < {cell.digest for cell in list_cells([changed])[0]}


def test_a_seed_of_which_nothing_is_chosen_is_not_trained(undisturbed) -> None:
    config = undisturbed.config
    assert victim_tasks(config, ()) == []
    assert {task.arguments[0] for task in victim_tasks(config, ["cerberos"])} == {"undefended", "cerberos"}
