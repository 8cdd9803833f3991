"""What is written through the door is known; what was changed behind it is not believed."""

import ast
import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.test_layout import ROOT
from tinycerb.config import load_config
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.run.directory import RunDirectory
from tinycerb.seal import manifest as manifests
from tinycerb.seal.care import adopt, covered_files, mend
from tinycerb.seal.files import (
    Damaged,
    inputs_digest,
    is_made,
    is_sound,
    made_from,
    manifest_in,
    only_looking,
    read_arrays,
    read_bytes,
    read_json,
    write_arrays,
    write_bytes,
    write_json,
)
from tinycerb.seal.manifest import NAME, Manifest


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A run of which nothing is done."""
    return RunDirectory.create(load_config("smoke"), tmp_path / "run", force=False)


def manifest_of_run(run: RunDirectory) -> Manifest:
    found = manifest_in(run.path)
    assert found is not None
    found.refresh()
    return found


def test_a_run_is_born_with_its_seal(run) -> None:
    assert run.has_seal
    assert set(manifest_of_run(run).entries) == {"env.json", "config.toml"}
    assert RunDirectory.open(run.path).config == run.config


def test_one_digit_is_noticed_named_and_moved_aside(run) -> None:
    path = run.cell("0123456789abcdef")
    write_json(path, {"clone_accuracy": 0.1425})
    path.write_text(path.read_text().replace("0.1425", "0.9425"))
    with pytest.raises(Damaged, match=r"cdef\.json is damaged: SHA-256 \w{12}\.\.\., expected \w{12}.*--resume"):
        read_json(path)
    assert not path.exists()
    assert "0.9425" in path.with_name(f"{path.name}.damaged").read_text()
    assert not is_made(path)
    write_json(path, {"clone_accuracy": 0.1425})
    assert read_json(path) == {"clone_accuracy": 0.1425}


def test_a_file_that_something_else_has_put_there_is_not_believed(run) -> None:
    path = run.victim("undefended") / "float.h5"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    assert not is_made(path)
    with pytest.raises(Damaged, match=r"not in the run's manifest: something else has put it there.*tinycerb train"):
        read_bytes(path)


def test_who_only_looks_moves_nothing(run) -> None:
    write_bytes(run.latency, b"{}")
    run.latency.write_bytes(b"{ }")
    with only_looking(), pytest.raises(Damaged, match="tinycerb bench"):
        read_json(run.latency)
    assert not is_sound(run.latency)
    assert run.latency.read_bytes() == b"{ }"


@pytest.mark.parametrize("name", ["config.toml", "env.json"])
def test_what_no_command_makes_again_stays_and_is_named(run, name: str) -> None:
    path = run.path / name
    path.write_text(path.read_text().replace("1", "2", 1))
    with pytest.raises(Damaged, match=rf"{name} is damaged.*tinycerb check {run.path} --seal"):
        read_bytes(path)
    with pytest.raises(EnvironmentProblem, match=f"{name} is damaged"):
        mend(run.path)
    assert path.exists()
    assert adopt(run.path) == 1
    assert read_bytes(path)
    assert run.adopted_files() == [name]


def test_a_bit_in_any_artefact_of_a_run(smoke_run, tmp_path) -> None:
    """All that later steps read: none is believed once a bit of it has changed, and all are found at once."""
    root = Path(shutil.copytree(smoke_run.path, tmp_path / "run"))
    files = [path for path in covered_files(root) if path.name not in ("config.toml", "env.json")]
    kinds = {path.name for path in files}
    assert {"checkpoint.npz", "float.h5", "float.json", "model.h5", "model.tflite", "model.json"} <= kinds
    assert {"measurements.json", "test_labels.npz", "out_of_distribution.npz", "training.json", "dense.json"} <= kinds
    assert {"history.csv", "latency.json", "metrics.json", "report.pdf", "golden.bin"} <= kinds
    assert len([path for path in files if path.parent.name in ("cells", "answers")]) == 14
    assert not list(mend(root))
    rng = np.random.default_rng(7)
    for path in files:
        content = bytearray(path.read_bytes())
        content[rng.integers(len(content))] ^= 1 << rng.integers(8)
        path.write_bytes(content)
        assert not is_sound(path), path
    said = "\n".join(mend(root))
    assert all(f"{path} is damaged" in said and not path.exists() for path in files)
    assert mend(root) == []


def test_a_kill_between_line_and_file_leaves_the_file_before(run) -> None:
    path = run.victim("undefended") / "checkpoint.npz"
    write_bytes(path, b"epoch 1")
    code = """
import os, sys
from pathlib import Path
from tinycerb.seal.files import write_bytes
Path.replace = lambda self, target: os._exit(9)
write_bytes(Path(sys.argv[1]), b"epoch 2")
"""
    killed = subprocess.run([sys.executable, "-c", code, path], check=False)
    assert killed.returncode == 9
    assert read_bytes(path) == b"epoch 1"
    assert mend(run.path) == []
    assert not list(path.parent.glob(".*.part"))
    before = manifest_of_run(run).entries["victims/undefended/checkpoint.npz"]
    write_bytes(path, b"epoch 2")
    assert read_bytes(path) == b"epoch 2"
    assert manifest_of_run(run).before["victims/undefended/checkpoint.npz"].sha256 == before.sha256


def test_half_a_line_costs_that_line_alone(run) -> None:
    write_bytes(run.latency, b"{}")
    with (run.path / NAME).open("ab") as file:
        file.write(b'{"file": "costs.js')
    write_bytes(run.metrics, b"{ }")
    assert read_bytes(run.latency) == b"{}"
    assert read_bytes(run.metrics) == b"{ }"
    fresh = Manifest(run.path)
    fresh.refresh()
    assert len(fresh.unreadable) == 1
    assert {"latency.json", "metrics.json"} <= set(fresh.entries)


def test_a_full_disk_leaves_the_manifest_as_it_was(run, monkeypatch) -> None:
    before = (run.path / NAME).read_bytes()

    def half(descriptor: int, content: bytes, offset: int, real=os.pwrite) -> int:
        real(descriptor, content[:9], offset)
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr(manifests.os, "pwrite", half)
        with pytest.raises(EnvironmentProblem, match="the disk is full"):
            write_bytes(run.latency, b"{}")
    assert (run.path / NAME).read_bytes() == before
    assert not run.latency.exists()


def test_processes_side_by_side_share_a_manifest(run) -> None:
    code = """
import sys
from pathlib import Path
from tinycerb.seal.files import write_bytes
for index in range(25):
    write_bytes(Path(sys.argv[1]) / "cells" / f"{sys.argv[2]}{index}.json", b"{}")
"""
    writers = [subprocess.Popen([sys.executable, "-c", code, run.path, name]) for name in "abcd"]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
    found = manifest_of_run(run)
    assert len([name for name in found.entries if name.startswith("cells/")]) == 100
    assert not found.unreadable
    assert len(found.versions) == 1


def test_the_same_bytes_again_are_no_new_line(run) -> None:
    write_bytes(run.latency, b"{}")
    before = (run.path / NAME).read_bytes()
    write_bytes(run.latency, b"{}")
    assert (run.path / NAME).read_bytes() == before


def test_what_was_made_from_other_files_does_not_count(run) -> None:
    source, made = run.victim("undefended") / "model.tflite", run.victim("undefended") / "test_labels.npz"
    write_bytes(source, b"one")
    with made_from([source]):
        write_arrays(made, {"labels": np.arange(3)})
    assert is_made(made, inputs_digest([source]))
    assert read_arrays(made)["labels"].tolist() == [0, 1, 2]
    write_bytes(source, b"two")
    assert is_made(made)
    assert not is_made(made, inputs_digest([source]))
    write_bytes(source, b"one")
    assert is_made(made, inputs_digest([source]))


def test_a_run_without_a_seal_is_read_as_it_lies_there(run) -> None:
    environment = json.loads((run.path / "env.json").read_text())
    (run.path / NAME).unlink()
    with pytest.raises(EnvironmentProblem, match=rf"lost its {NAME}.*tinycerb check {run.path} --seal"):
        RunDirectory.open(run.path)
    environment.pop("manifest")
    (run.path / "env.json").write_text(json.dumps(environment))
    opened = RunDirectory.open(run.path)
    assert not opened.has_seal
    write_bytes(run.latency, b"{}")
    run.latency.write_bytes(b"{ }")
    assert read_bytes(run.latency) == b"{ }"
    assert mend(run.path) == []
    assert not (run.path / NAME).exists()
    assert adopt(run.path) == 3
    assert opened.has_seal
    assert sorted(opened.adopted_files()) == ["config.toml", "env.json", "latency.json"]
    run.latency.write_bytes(b"{}")
    with pytest.raises(Damaged):
        read_bytes(run.latency)


def test_every_file_of_a_run_is_an_artefact_or_for_people_alone(smoke_run) -> None:
    covered = set(covered_files(smoke_run.path))
    others = {path for path in smoke_run.path.rglob("*") if path.is_file()} - covered
    names = {path.relative_to(smoke_run.path).as_posix() for path in others if not path.name.startswith(".")}
    left = {name for name in names if not name.startswith("log/") and "/events/" not in name}
    assert left <= {NAME, "stdout.txt"}
    assert set(manifest_of_run(smoke_run).entries) == {path.relative_to(smoke_run.path).as_posix() for path in covered}


def test_what_a_user_puts_into_a_run_is_the_users(run) -> None:
    for name in ("notes.txt", "victims/undefended/notes.txt", "converted/model.tflite", "victims/a/b/model.tflite"):
        write_bytes(run.path / name, b"mine")
        (run.path / name).write_bytes(b"changed")
        assert read_bytes(run.path / name) == b"changed"
    assert mend(run.path) == []


def test_files_outside_of_a_run_pass(tmp_path) -> None:
    (tmp_path / NAME).write_text('{"audio": "a.wav"}\n')
    (tmp_path / "config.toml").write_text("")
    write_bytes(tmp_path / "converted" / "model.tflite", b"model")
    (tmp_path / "converted" / "model.tflite").write_bytes(b"other")
    assert read_bytes(tmp_path / "converted" / "model.tflite") == b"other"
    assert (tmp_path / NAME).read_text() == '{"audio": "a.wav"}\n'


@pytest.mark.parametrize("left", [["env.json"], [NAME], [NAME, "env.json"], [".lock", ".env.json.x1.part"], [".lock"]])
def test_a_run_that_was_killed_before_its_configuration_can_be_started_again(run, left: list[str]) -> None:
    for path in list(run.path.iterdir()):
        if path.name not in left:
            path.unlink()
    (run.path / ".env.json.x1.part").write_text("{") if ".env.json.x1.part" in left else None
    again = RunDirectory.create(run.config, run.path, force=False)
    assert RunDirectory.open(run.path).config == again.config
    assert not list(run.path.glob("*.part"))


@pytest.mark.parametrize("name", ["thesis.txt", "env.json", "config.yaml"])
def test_what_is_no_half_made_run_is_left_alone(tmp_path, name: str) -> None:
    (tmp_path / name).write_text('{"name": "mine"}')
    with pytest.raises(UsageError, match="it is no run of TinyCerb's"):
        RunDirectory.create(load_config("smoke"), tmp_path, force=False)
    assert (tmp_path / name).exists()


# Files that are no run's: a data set's copy, a firmware's folder, a Dask worker's own, a child's temporary file, arrays
# that a program had in memory, what lies beside an owner key, which plugins may run, a table that comes with the
# package; and the door itself.
_OTHER_DOORS = {
    "datasets/fetch.py", "boards/firmware.py", "matrix/remote.py", "matrix/parcels.py",
    "conversion/float_reference.py", "seal/manifest.py", "api/inputs.py", "plugins/consent.py",
    "ownership/ledger.py", "cli/ownership.py", "cli/verify.py", "verification/calibration.py",
    "verification/make_teachers.py", "verification/train_independent.py", "verification/suspects/answer_apart.py",
    "verification/suspects/python_code.py", "bench/separation_verdict.py", "bench/pretrained.py",
}  # fmt: skip


def test_artefacts_have_one_door() -> None:
    direct = {"write_bytes", "write_text", "write_json", "write_arrays", "read_json"}
    found = {
        path.relative_to(ROOT / "tinycerb").as_posix()
        for path in (ROOT / "tinycerb").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and node.module == "tinycerb.atomic"
        and direct & {alias.name for alias in node.names}
    }
    assert found == _OTHER_DOORS, found ^ _OTHER_DOORS


def test_nothing_in_training_bench_and_jobs_reads_files_by_itself() -> None:
    """`np.load`, `read_bytes` of a path and the like pass by the manifest."""
    own = {"np.load(", ".read_text()", ".read_bytes()", ".write_text(", ".write_bytes(", "shutil.copyfile("}
    # Estimates alone, what a Dask worker was sent, and TinyCerb's own code.
    allowed = {"matrix/estimate.py", "matrix/parcels.py", "bench/code_digest.py"}
    for folder in ("training", "bench", "matrix", "jobs", "compression", "defenses", "cli", "check"):
        for path in (ROOT / "tinycerb" / folder).rglob("*.py"):
            if path.relative_to(ROOT / "tinycerb").as_posix() not in allowed:
                assert not [mark for mark in own if mark in path.read_text()], path


def test_a_run_that_cannot_be_written_names_the_way_on(run) -> None:
    shell = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" -m tinycerb train --resume "$1"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", shell, "sh", run.path, sys.executable]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 3
    assert "the file system is read-only" in finished.stderr
    assert f"--resume {run.path}" in finished.stderr.replace("\n", " ")
