"""A run that was touched is found out, also by those who were not there when it was made."""

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import run_cli
from tinycerb.bench.cell import cell_specs, find_cell
from tinycerb.bench.metrics import build_metrics
from tinycerb.check.verdict import Verdict, check_runs
from tinycerb.datasets import load_dataset
from tinycerb.errors import EnvironmentProblem
from tinycerb.jobs.plan import plan
from tinycerb.jobs.steps import is_done
from tinycerb.run.directory import RunDirectory
from tinycerb.seal import versions
from tinycerb.seal.files import read_json, write_json
from tinycerb.seal.manifest import NAME
from tinycerb.workflow.provenance import prepare


@pytest.fixture
def copy(smoke_run, tmp_path) -> RunDirectory:
    """The smoke run, to be tampered with."""
    return RunDirectory.open(Path(shutil.copytree(smoke_run.path, tmp_path / "run")))


@pytest.fixture
def unsealed(copy) -> RunDirectory:
    """The same as it was left by versions that knew no manifest."""
    environment = json.loads((copy.path / "env.json").read_text())
    environment.pop("manifest")
    (copy.path / "env.json").write_text(json.dumps(environment))
    metrics = json.loads(copy.metrics.read_text())
    metrics["provenance"].pop("manifest")
    copy.metrics.write_text(json.dumps(metrics))
    (copy.path / NAME).unlink()
    return copy


def named(verdict: Verdict) -> dict[str, str]:
    return {Path(each.file).name: each.what for each in verdict.differences}


def alter(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


def test_an_untouched_run_is_sound(smoke_run) -> None:
    finished = run_cli("check", smoke_run.path)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    for said in ("all as they were written", "7 cells", "metrics.json: computed again", "report.pdf: rendered again"):
        assert said in finished.stdout
    assert "made with  tinycerb" in finished.stdout


def test_one_digit_of_a_cell(smoke_run, copy) -> None:
    """`check` names it, `bench` and `run --resume` compute it again, and the report never shows it."""
    cell = min((copy.path / "cells").glob("*.json"))
    alter(cell, b'"clone_accuracy": 0.', b'"clone_accuracy": 0.9')
    finished = run_cli("check", copy.path, "--json")
    assert finished.returncode == 1
    found = json.loads(finished.stdout)
    assert not found["sound"]
    assert {Path(each["file"]).name for each in found["differences"]} == {cell.name, "metrics.json"}
    assert f"--resume {copy.path}" in finished.stderr
    assert cell.exists()
    finished = run_cli("bench", copy.path, "--quiet")
    assert finished.returncode == 0, finished.stderr
    assert f"{cell} is damaged: SHA-256" in finished.stderr
    assert f"moved to {cell.name}.damaged" in finished.stderr
    assert cell.read_bytes() == (smoke_run.path / "cells" / cell.name).read_bytes()
    assert copy.metrics.read_bytes() == smoke_run.metrics.read_bytes()


def test_figures_that_do_not_follow_from_the_cells(copy) -> None:
    """Written through the door, so that the manifest vouches for them: they are found out by computing them again."""
    metrics = read_json(copy.metrics)
    metrics["victims"]["cerberos"]["accuracy"]["accuracy_expected"] = 0.99
    write_json(copy.metrics, metrics)
    found = named(check_runs([copy]))
    assert set(found) == {"metrics.json", "report.pdf", "model_card.md"}
    assert found["metrics.json"].startswith("victims.cerberos.accuracy.accuracy_expected is 0.99, computed again 0.")
    assert found["report.pdf"] == "is not what metrics.json renders to"


def test_a_cell_that_was_exchanged_for_another(copy) -> None:
    first, second = sorted((copy.path / "cells").glob("*.json"))[:2]
    write_json(first, read_json(second))
    found = named(check_runs([copy]))
    assert found[first.name] == "its result is not the one that its digest names"
    assert "cannot be computed again" in found["metrics.json"]


def test_strangers_losses_and_torn_lines(copy) -> None:
    shutil.copy(copy.latency, copy.costs)
    (copy.victim("cerberos") / "golden.bin").unlink()
    alter(copy.path / NAME, b'{"file": "latency.json"', b'{"fil": "latency.json"')
    found = named(check_runs([RunDirectory.open(copy.path)]))
    assert found["costs.json"] == "is not in the manifest"
    assert found["golden.bin"] == "is missing"
    assert found["latency.json"] == "is not in the manifest"
    assert "cannot be read" in found[NAME]


def test_what_was_made_from_other_files(copy) -> None:
    """A network that was trained again and came out otherwise: what was made from it is made again, not more."""
    training = copy.victim("cerberos") / "training.json"
    write_json(training, {**read_json(training), "parameters": 1})
    undone = [task.key for task in plan(copy.config) if not is_done(copy, task)]
    assert undone == ["convert/cerberos", "measure/cerberos"]
    found = named(check_runs([copy]))
    assert found["model.tflite"] == "was made from other files than are there now"


def test_an_old_run_is_read_and_sealed_when_that_is_wanted(unsealed) -> None:
    finished = run_cli("report", unsealed.path)
    assert finished.returncode == 0, finished.stderr
    assert "has no seal: it is of an older version, and its files are believed" in finished.stderr
    assert f"tinycerb check {unsealed.path} --seal" in finished.stderr
    verdict = check_runs([RunDirectory.open(unsealed.path)])
    assert named(verdict) == {NAME: "is not there: the run has no seal"}
    finished = run_cli("check", unsealed.path, "--seal")
    assert finished.returncode == 0, finished.stdout
    assert "files taken into the manifest as they are" in finished.stderr
    assert "were taken in afterwards" in finished.stdout
    metrics = build_metrics(unsealed)
    assert any("were taken into the manifest as they lay there" in note for note in metrics["not_measured"])


def test_an_old_run_believes_no_edited_cell_either(unsealed, capsys) -> None:
    (spec,) = cell_specs(unsealed, load_dataset(unsealed.config.data), "cerberos", "knockoff", "random")
    cell = unsealed.cell(spec.digest())
    assert find_cell(unsealed, spec) is not None
    alter(cell, b'"clone_accuracy": 0.', b'"clone_accuracy": 0.9')
    assert prepare(unsealed)
    assert f"{cell} is damaged; moved to {cell.name}.damaged" in capsys.readouterr().err
    assert find_cell(unsealed, spec) is None
    assert not (unsealed.path / NAME).exists()


def test_a_damaged_report_source_is_named_with_its_command(copy) -> None:
    alter(copy.metrics, b'"accuracy_expected": 0.', b'"accuracy_expected": 0.9')
    for command in (["report", copy.path], ["compare", copy.path]):
        finished = run_cli(*command)
        assert finished.returncode in (2, 3)
        assert f"tinycerb bench {copy.path}" in finished.stderr
    assert copy.metrics.with_name("metrics.json.damaged").exists()


def test_other_versions_are_said_and_recorded(copy, monkeypatch, capsys) -> None:
    prepare(copy)
    assert capsys.readouterr().err == ""
    newer = {**versions.versions_now(), "tensorflow": "2.99.0"}
    for module in ("tinycerb.seal.manifest", "tinycerb.seal.files", "tinycerb.workflow.provenance"):
        monkeypatch.setattr(f"{module}.versions_now", lambda: newer)
    prepare(copy)
    said = capsys.readouterr().err
    assert "was made with tensorflow 2.21.0 (now 2.99.0): the manifest says which made what" in said
    assert said.count("\n") == 1
    write_json(copy.latency, {**read_json(copy.latency), "note": 1})
    assert {each["tensorflow"] for each in copy.versions()} == {"2.21.0", "2.99.0"}
    (line,) = [each for each in (copy.path / NAME).read_text().splitlines() if "2.99.0" in each]
    assert json.loads(line)["versions"] == newer
    last = json.loads((copy.path / NAME).read_text().splitlines()[-1])
    assert (last["file"], last["made_by"]) == ("latency.json", versions.key_of(newer))
    assert any("more than one set of versions: tensorflow 2.21.0 (then 2.99.0)" in note
               for note in build_metrics(copy)["not_measured"])  # fmt: skip


def test_a_lost_manifest_is_no_old_run(copy) -> None:
    (copy.path / NAME).unlink()
    with pytest.raises(EnvironmentProblem, match="has lost its manifest"):
        RunDirectory.open(copy.path)
    finished = run_cli("run", "--resume", copy.path)
    assert finished.returncode == 3
    assert f"tinycerb check {copy.path} --seal" in finished.stderr
