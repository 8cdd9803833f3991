"""A model is named by its run, by its victim's folder, or by its file; what is meant is said."""

import json
from importlib import resources
from pathlib import Path

import pytest

from tests.conftest import Cli
from tinycerb.cli.flash import _print
from tinycerb.config import load_config
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import Damaged, write_bytes
from tinycerb.workflow.named_model import find_model, open_model_file

# Another model than the one that the runs of these tests hold.
SINE = Path(str(resources.files("tflite_micro"))) / "python" / "tflite_micro" / "sine_float.tflite"
TINY = Path(__file__).parents[2] / "tinycerb" / "doctor" / "tiny.tflite"


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A run of three victims, two of them converted."""
    plain, defended = '{name="undefended"}', '{name="late", response="top1"}'
    first = '{name="joint", defense="cerberos"}'
    made = RunDirectory.create(load_config("smoke", [f"victims=[{plain}, {first}, {defended}]"]), tmp_path / "r", False)
    for name in ("undefended", "late"):
        write_bytes(made.model(name), TINY.read_bytes())
    return made


def test_a_run_means_its_recommended_victim_and_the_others_are_said(run: RunDirectory, capsys) -> None:
    path, file = open_model_file(run.path)
    assert path == run.model("late")
    assert len(file.operators) == 1
    assert capsys.readouterr().err == f"model: {path} (recommended; others: undefended)\n"


def test_a_victims_folder_and_a_file_mean_themselves(run: RunDirectory, capsys) -> None:
    assert find_model(run.victim("undefended")) == run.model("undefended")
    assert capsys.readouterr().err == f"model: {run.model('undefended')}\n"
    assert find_model(run.model("undefended")) == run.model("undefended")
    assert capsys.readouterr().err == ""


def test_a_file_that_its_run_has_not_made_is_refused(run: RunDirectory) -> None:
    run.model("late").write_bytes(SINE.read_bytes())
    with pytest.raises(Damaged, match=r"late/model.tflite is damaged"):
        open_model_file(run.path)


def test_a_recommended_victim_that_is_not_converted_lists_those_that_are(run: RunDirectory) -> None:
    run.model("late").unlink()
    with pytest.raises(UsageError, match=r"late, the recommended victim of .* not converted.*has: undefended$"):
        find_model(run.path)
    run.model("undefended").unlink()
    with pytest.raises(UsageError, match=rf"none is converted; do it with: tinycerb convert {run.path}$"):
        find_model(run.path)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "victims/undefendet",
            r"no victim 'undefendet' \(did you mean 'undefended'\?\); .*has: undefended, late",
        ),
        ("victims/joint", "joint is not converted yet; .*has: undefended, late"),
        ("victims", "which one"),
        ("net.h5", "net.h5 is a Keras model.*tinycerb run --model .*net.h5 --data DATA .*tinycerb convert .*net.h5"),
        ("folder", "no model in"),
        ("text.tflite", "not a .tflite file|no .tflite file"),
    ],
)
def test_what_is_no_model_is_told_with_what_there_is(run: RunDirectory, name: str, told: str) -> None:
    (run.path / "net.h5").write_bytes(b"\x89HDF")
    (run.path / "folder").mkdir()
    (run.path / "text.tflite").write_text("no model at all")
    with pytest.raises(UsageError, match=told):
        open_model_file(run.path / name)


def test_a_file_that_cannot_be_read_is_of_the_environment(run: RunDirectory) -> None:
    with pytest.raises(EnvironmentProblem, match="/proc/self/mem"):
        open_model_file(Path("/proc/self/mem"))
    with pytest.raises(EnvironmentProblem, match=r"there is no .*late/model.tflit \(did you mean 'model\.tflite'"):
        open_model_file(run.victim("late") / "model.tflit")


@pytest.mark.parametrize("command", [["summary"], ["bench", "--board", "qemu-m4"]])
def test_every_command_that_takes_a_model_takes_a_run(cli: Cli, smoke_run, command: list[str]) -> None:
    done = cli(*command, smoke_run.path, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    assert done.stderr == f"model: {smoke_run.model('cerberos')} (recommended; others: undefended)\n"


def test_one_head_is_one_and_nobody_draws_it(capsys) -> None:
    facts = {
        "board": "qemu-m4", "selection": "keyed", "model_sha256": "0123456789abcdef", "heads": 1, "flash_bytes": 1,
        "flash_bytes_available": 2, "ram_bytes": 1, "ram_bytes_available": 2, "command": "qemu", "image": "x.elf",
    }  # fmt: skip
    _print(facts, as_json=False)
    board, model, *_, last = capsys.readouterr().out.splitlines()
    assert (board, model) == ("board        qemu-m4", "model        0123456789abcdef..., 1 head")
    assert last == "would run    qemu"
    _print({**facts, "heads": 3}, as_json=False)
    board, model, *_ = capsys.readouterr().out.splitlines()
    assert (board, model) == ("board        qemu-m4, heads drawn: keyed", "model        0123456789abcdef..., 3 heads")


def test_the_help_of_bench_names_boards(cli: Cli) -> None:
    told = " ".join(cli("bench", "--help").stdout.split())
    assert "bench board MODEL" in told
    assert "Count what each layer of a model costs on a board" in told
