"""How a run ends: a verdict, the file for deployment, and commands that can be typed."""

import io
import json
import re
import shlex

import pytest
from rich.console import Console

from tinycerb.cli.closing import print_closing
from tinycerb.config import load_config
from tinycerb.datasets import load_dataset
from tinycerb.datasets.procedural import NEEDS_IMAGES
from tinycerb.datasets.query_pools import query_pool
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import read_json, write_json


@pytest.fixture
def closed(smoke_run, tmp_path):
    """Prints the end of a run that was started by a command, with changed figures; returns the lines."""

    def close(command: str, change=lambda metrics: None, overrides: tuple[str, ...] = ()) -> list[str]:
        run = RunDirectory.create(load_config("smoke", overrides), tmp_path / "a run", False)
        write_json(run.path / "env.json", {**read_json(run.path / "env.json"), "command": command})
        metrics = json.loads((smoke_run.path / "metrics.json").read_text())
        change(metrics)
        console = Console(file=io.StringIO(), width=80)
        print_closing(run, metrics, run.report, console)
        return console.file.getvalue().splitlines()  # type: ignore[union-attr]

    return close


def test_an_inconclusive_run_names_its_cure(closed, tmp_path) -> None:
    lines = closed("tinycerb run smoke --out 'a run' --force --set seed=2")
    assert lines[1].startswith("■ T1, the attacker has images of another kind: inconclusive.")
    assert f"model: {tmp_path}/a run/victims/cerberos/model.tflite" in lines
    assert "With 10 unlabelled images of your own kind a thief's copy of cerberos" in " ".join(lines)
    assert f"report: {tmp_path}/a run/report.pdf" in lines
    at = lines.index("next, as T1 is inconclusive: attack longer, or with more images by --query-pool:")
    command = shlex.split(lines[at + 1])
    assert command == ["tinycerb", "run", "smoke", "--set", "seed=2", "--set", "attacks.knockoff.epochs=6"]
    # It does what it says.
    assert load_config("smoke", [command[4], command[6]]).attack("knockoff").epochs == 6
    assert shlex.split(lines[-1]) == ["next:", "tinycerb", "flash", f"{tmp_path}/a run", "--board", "qemu-m4"]


def test_without_a_query_pool_that_is_said_again_at_the_end(closed) -> None:
    lines = closed(
        "tinycerb train --model net:build --data u8.npz --out=mine",
        lambda metrics: metrics.update(threats={}),
        ("data.name=user", "data.source=u8.npz", "attacks=[]"),
    )
    assert "Stealing was not measured" in lines[1]
    (at,) = [at for at, line in enumerate(lines) if line.startswith("next, as nothing was stolen without")]
    # Images that the victims were not trained on, for whoever has none.
    (pool,) = re.findall(r"\(none at hand: (\S+), drawn ones\):$", lines[at])
    families = set(pool.removeprefix("drawn-").split("+"))
    assert {"dead_leaves", "glyphs"} <= families
    # A thief has none of the task's images.
    assert not families & NEEDS_IMAGES
    assert len(query_pool(pool).load(load_dataset(load_config("smoke").data))) > 1000
    assert lines[at + 1].strip() == "tinycerb run --model net:build --data u8.npz --query-pool IMAGES"


def test_a_run_that_no_command_made_is_made_again_from_its_configuration(closed, tmp_path) -> None:
    for command in ("tinycerb bench matrix ci", "tinycerb run --set 'x"):
        lines = closed(command)
        assert f"      tinycerb run '{tmp_path}/a run/config.toml' --set attacks.knockoff.epochs=6" in lines
        (tmp_path / "a run").rename(tmp_path / f"kept {len(command)}")


def test_a_verdict_that_is_clear_needs_no_cure(closed) -> None:
    def clear(metrics: dict) -> None:
        verdict = metrics["threats"]["T1"]
        verdict["conclusive"] = True
        for name, clone in (("undefended", 0.8), ("cerberos", 0.9)):
            verdict["victims"][name].update(clone_accuracy=clone, points_below_baseline=100 * (0.8 - clone))

    lines = closed("tinycerb run smoke", clear)
    assert "cerberos is EASIER to" in " ".join(lines)
    assert [line for line in lines if line.startswith("next")] == [lines[-1]]
