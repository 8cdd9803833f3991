"""What a terminal shows while a matrix fills."""

import io

import pytest
from rich.console import Console

from tinycerb.atomic import read_json
from tinycerb.matrix.display import Scoreboard, _Live
from tinycerb.matrix.seeds import seed_runs
from tinycerb.matrix.work import finished_cells, lay_out


def shown(run, width: int) -> str:
    matrix = lay_out(seed_runs(run), [])
    console = Console(file=io.StringIO(), width=width)
    board = Scoreboard(workers=2)
    board.begin(matrix.cells, finished_cells(matrix), matrix.seconds)
    console.print(_Live(console, board)._render())
    return console.file.getvalue()  # type: ignore[union-attr]


@pytest.mark.parametrize("width", [100, 36])
def test_nothing_is_cut_on_a_wide_or_a_narrow_terminal(undisturbed, width: int) -> None:
    text = shown(undisturbed, width)
    results = [read_json(path)["result"] for path in (undisturbed.path / "cells").glob("*.json")]
    best = max(result["clone_accuracy"] for result in results)
    assert f"{best:.1%}" in text
    assert "…" not in text
    assert f"{len(results)} of {len(results)} cells" in " ".join(text.split())
    assert ("T1" in text) == (width == 36)
