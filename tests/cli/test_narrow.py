"""Eighty columns, a narrower terminal, and a pipe: nothing that matters is cut."""

import io
import json
import os
import re

import pytest
from rich.console import Console

from tests.conftest import Cli
from tinycerb.atomic import read_json
from tinycerb.cli.lists import hanging, in_columns
from tinycerb.cli.side_by_side import side_by_side
from tinycerb.cli.table import results_table, rows
from tinycerb.events import Progress
from tinycerb.progress import _Terminal

TIMES = re.compile(r"\d:\d\d:\d\d (\d:\d\d:\d\d|-:--:--) \S")


def drawn(part, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(part)
    return console.file.getvalue()  # type: ignore[union-attr]


@pytest.fixture
def demo(smoke_run) -> dict:
    """The smoke run's figures under the demo's four names, its figures of the demo's lengths."""
    metrics = read_json(smoke_run.metrics)
    undefended, cerberos = (json.dumps(metrics["victims"][name]) for name in ("undefended", "cerberos"))
    named = {"undefended": undefended, "pruned": undefended, "cerberos": cerberos, "misdirection": cerberos}
    metrics["victims"] = {name: json.loads(text) for name, text in named.items()}
    for victim in metrics["victims"].values():
        victim["file"]["flash_bytes"] = 161_296
        victim["latency"]["optimised"]["latency_us_p50"] = 3570.4
    for verdict in metrics["threats"].values():
        cases = verdict["victims"]
        verdict["victims"] = dict.fromkeys(named, cases["cerberos"]) | {"undefended": cases["undefended"]}
        verdict["conclusive"] = True
    return metrics


def test_the_demos_four_victims_stand_side_by_side_in_eighty_columns(demo) -> None:
    text = drawn(results_table(demo, 80), 80)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    (header,) = [line for line in lines if "misdirection" in line]
    assert all(name in header for name in demo["victims"])
    # A row is one line: no label and no figure is folded.
    for label, values in rows(demo):
        (line,) = [line for line in lines if f"│ {label} " in line]
        assert [value for value in values if f" {value} " not in line] == []


@pytest.mark.parametrize("width", [40, 80, 200])
def test_as_many_victims_stand_beside_each_other_as_fit(width: int) -> None:
    columns = [(f"victim-{index}", [f"{index}1.5%", f"{index}00,000"]) for index in range(9)]
    text = drawn(side_by_side("all", ["accuracy", "bytes"], columns, width), width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    for name, values in columns:
        assert text.count(name) == 1
        assert all(f" {value} " in text for value in values)
    headers = sum("victim-" in line for line in lines)
    assert headers == {40: 5, 80: 2, 200: 1}[width]


@pytest.mark.parametrize("width", [None, 80, 60])
def test_compare_is_readable(cli: Cli, smoke_run, width: int | None) -> None:
    environment = {**os.environ, **({"COLUMNS": str(width)} if width else {})}
    lines = cli("compare", smoke_run.path, env=environment).stdout.splitlines()
    assert max(map(len, lines)) <= (width or 80)
    (names,) = [line for line in lines if "undefended" in line]
    assert "cerberos" in names
    assert sum("coherence off task" in line for line in lines) == 1
    assert sum(".tflite bytes" in line for line in lines) == 1


def test_compare_has_a_row_for_each_victim_where_there_is_room(cli: Cli, smoke_run) -> None:
    lines = cli("compare", smoke_run.path, env={**os.environ, "COLUMNS": "200"}).stdout.splitlines()
    assert sum("undefended" in line for line in lines) == sum("cerberos" in line for line in lines) == 1
    assert not any("undefended" in line and "cerberos" in line for line in lines)


@pytest.mark.parametrize(
    ("command", "width"), [(["boards"], None), (["defenses", "list"], None), (["defenses", "list"], 60)]
)
def test_lists_fit_a_terminal_and_a_pipe(cli: Cli, command: list[str], width: int | None) -> None:
    environment = {**os.environ, **({"COLUMNS": str(width)} if width else {})}
    text = cli(*command, env=environment).stdout
    lines = [line for line in text.splitlines() if not line.startswith("next: ")]
    assert max(map(len, lines)) <= (width or 80)
    assert len(lines) > 10


def test_a_text_hangs_behind_its_head(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert hanging("  am", "a network that is trained to be wrong", 8).splitlines() == [
        "  am    a network that is trained to be",
        "        wrong",
    ]
    assert hanging("outlier_exposure", "short", 8).splitlines() == ["outlier_exposure", "        short"]
    assert hanging("x", "", 4) == "x   "
    assert in_columns([("a", "bb"), ("ccc", "d")]) == ["a    bb", "ccc  d"]


@pytest.mark.parametrize("width", [120, 80, 60])
def test_times_of_running_tasks_are_whole(width: int) -> None:
    console = Console(file=io.StringIO(), width=width, force_terminal=True)
    display = _Terminal(console)
    keys = ("train/cerberos", "steal/misdirection/knockoff-copies/random")
    display.begin(dict.fromkeys(keys, 1.0), [])
    for key in keys:
        display.start(key)
        display.advance(key, Progress(3, 4, "recover epoch 1/1, validation 20.0% [/bold]"))
    text = drawn(display._bars.get_renderable(), width)
    display.end()
    lines = text.splitlines()
    assert len(lines) == 3
    assert all(TIMES.search(line) for line in lines), text
    assert "0/2 tasks" in lines[0]
    assert "train/cerberos" in lines[1]
    if width == 120:
        assert "validation 20.0% [/bold]" in lines[1]
