"""The benchmark's table goes on where it was stopped, and past a row that goes wrong."""

import json
from pathlib import Path

import pytest

from tests.benchmarks.ownership import table
from tests.benchmarks.ownership_table.rows import Row
from tinycerb.errors import InternalError

FACTS: dict[str, object] = {
    "accuracy": 0.5, "agreement_drawn": 0.55, "agreement_sure": 0.86, "p_by_population": 2e-77, "p_by_secret": 1e-4,
    "questions_until_strict": 18.0, "share_within_50": 1.0, "verdict": "clone",
}  # fmt: skip


def test_a_row_that_goes_wrong_stops_no_other_and_none_is_made_twice(tmp_path: Path, capsys) -> None:
    made = []

    def good() -> dict[str, object]:
        made.append("good")
        return FACTS

    def bad() -> dict[str, object]:
        raise InternalError("no such network")

    rows = [Row("bad", 1, bad), Row("good", 1, good)]
    for _ in range(2):
        assert table(tmp_path, rows) == ["bad: no such network"]
    assert made == ["good"]
    assert json.loads((tmp_path / "good.json").read_text())["accuracy"] == 0.5
    assert not (tmp_path / "bad.json").exists()
    assert capsys.readouterr().out.count("| good | 50.0 % | 55 % | 86 % | 2e-77 | 0.0001 | 18 | 100 % | clone |") == 2


def test_a_fault_of_the_program_is_no_row_that_went_wrong(tmp_path: Path) -> None:
    def broken() -> dict[str, object]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        table(tmp_path, [Row("broken", 1, broken)])
