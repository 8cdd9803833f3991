"""Whatever goes wrong, in whichever process: one message, an exit code that tells whose fault it is, no traceback."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tinycerb import cli as command
from tinycerb.advice.diagnosis import diagnose
from tinycerb.boards import board
from tinycerb.cli import matrix
from tinycerb.errors import EnvironmentProblem, ExitCode, InternalError, UsageError, error_from_exit_code
from tinycerb.matrix import work
from tinycerb.matrix.cluster import Cluster
from tinycerb.matrix.pool import _Pool, _Worker
from tinycerb.oracle import OracleSpec, SealedOracle
from tinycerb.subprocess_call import call_in_subprocess

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tinycerb" / "doctor" / "tiny.tflite"


def beside(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a Python that looks into `folder` first."""
    return {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", **more}


def hidden(folder: Path, *modules: str) -> dict[str, str]:
    """The environment of a Python that lacks modules."""
    lines = [f"sys.modules[{module!r}] = None" for module in modules]
    (folder / "sitecustomize.py").write_text("\n".join(["import sys", *lines]))
    return beside(folder)


def failing(folder: Path, module: str) -> dict[str, str]:
    """The environment of a Python in which a module of TinyCerb's has a fault."""
    (folder / "sitecustomize.py").write_text(
        f"""
import sys
class Finder:
    def find_spec(name, path=None, target=None):
        if name == {module!r}:
            raise ZeroDivisionError("made up")
sys.meta_path.insert(0, Finder)
"""
    )
    return beside(folder)


# As TensorFlow puts it: 1 is out of memory, 3 is not implemented.
ONEDNN = "{{function_node x}} Operation received an exception:Status: "


def called(*arguments: str) -> int:
    """Runs the command in this process and returns its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["tinycerb", *arguments])
        with pytest.raises(SystemExit) as ended:
            command.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ValueError("seven"), 70, "a fault of TinyCerb's: ValueError: seven; TINYCERB_DEBUG=1"),
        (AssertionError(), 70, "AssertionError;"),
        (UsageError("as it is"), 2, "as it is"),
        (MemoryError("Unable to allocate 730. GiB"), 3, "730. GiB"),
        (OSError(12, "Cannot allocate memory"), 3, "memory ran out"),
        (
            type("ResourceExhaustedError", (Exception,), {})("OOM when allocating"),
            3,
            "memory ran out (ResourceExhaustedE",
        ),
        (
            type("AbortedError", (Exception,), {})(f"{ONEDNN}1, message: could not create a primitive"),
            3,
            "memory ran out",
        ),
        (type("AbortedError", (Exception,), {})(f"{ONEDNN}3, message: could not create a primitive"), 70, "a fault of"),
        (type("KilledWorker", (Exception,), {})("its last worker died"), 3, "memory ran out (Kill"),
        (RecursionError("maximum depth"), 2, "nested too deeply"),
        (EOFError("No data left in file"), 2, "ends too early"),
        (UnicodeDecodeError("utf-8", b"ab\xff", 2, 3, "invalid start byte"), 2, "byte 0xff at 2"),
        (UnicodeEncodeError("utf-8", "a\udcff", 1, 2, "surrogates not allowed"), 2, "'a\\udcff' is no text"),
        (OSError(36, "File name too long", "x" * 300), 2, "no file can have a name of 300 characters: xxx"),
        (PermissionError(13, "Permission denied", "secret.npz"), 3, "secret.npz: Permission denied"),
        (ModuleNotFoundError("No module named 'pyocd'", name="pyocd.core"), 3, "-m pip install pyocd=="),
        (ModuleNotFoundError("No module named 'serial'", name="serial"), 3, "pip install pyserial=="),
        (ModuleNotFoundError("No module named 'tf_keras'", name="tf_keras"), 3, "pip install tensorflow=="),
        (ModuleNotFoundError("No module named 'colorama'", name="colorama"), 3, "look with: tinycerb doctor"),
        (ModuleNotFoundError("No module named 'tinycerb.x'", name="tinycerb.x"), 70, "No module named 'tinycerb.x'"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_a_diagnosis_says_whose_fault_it_is_and_what_to_do(error: BaseException, code: int, words: str) -> None:
    problem = diagnose(error)
    assert problem.exit_code == code
    assert words in str(problem)


def test_every_exit_code_comes_back_from_a_child() -> None:
    for code in ExitCode:
        if code not in (ExitCode.OK, ExitCode.OUTPUT_CLOSED):
            assert error_from_exit_code("told", code).exit_code == code
    assert error_from_exit_code("told", 99).exit_code == ExitCode.INTERNAL


@pytest.mark.parametrize("error", [ZeroDivisionError("made up"), EOFError("made up"), RecursionError("made up")])
def test_a_fault_is_one_message_and_the_traceback_is_for_who_asks(monkeypatch, capsys, error: Exception) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(board, "board_names", fail)
    assert called("boards") == diagnose(error).exit_code != ExitCode.GATE
    told = capsys.readouterr().err
    assert told.strip().startswith("error: ")
    assert "made up" in told
    assert "Traceback" not in told
    monkeypatch.setenv("TINYCERB_DEBUG", "1")
    called("boards")
    assert f"in fail\n    raise error\n{type(error).__name__}: made up" in capsys.readouterr().err


def test_the_help_names_the_codes(cli) -> None:
    told = " ".join(cli("--help").stdout.split())
    assert "70 a fault of TinyCerb's own" in told
    assert "TINYCERB_DEBUG=1" in told


@pytest.mark.parametrize("arguments", [["boards", "--json"], ["--help"], ["summary", str(TINY)]])
def test_a_reader_that_has_seen_enough_ends_a_command_quietly(arguments: list[str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tinycerb", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141


def test_a_full_disk_behind_the_output_is_said(cli) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tinycerb", "boards"], stdout=full, stderr=subprocess.PIPE, check=False, cwd=ROOT
        )
    assert done.returncode == 3
    assert done.stderr.decode().splitlines() == [
        "error: No space left on device (TINYCERB_DEBUG=1 before the command shows where)"
    ]


@pytest.mark.parametrize("closed", [1, 2])
def test_a_closed_output_is_no_fault(closed: int) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m tinycerb boards {closed}>&-', sys.executable], capture_output=True, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "modules", "words"),
    [
        (["--version"], ["typer"], "pip install typer=="),
        (["--version"], ["rich"], "pip install rich=="),
        (["run", "smoke", "--out", "new"], ["tensorflow", "tf_keras"], "pip install tensorflow==2.21.0 tf-keras=="),
        (["prune", "demo"], ["tensorflow"], "pip install tensorflow==2.21.0 tf-keras=="),
        (
            ["convert", str(TINY), "--response", "top1"],
            ["tensorflow", "ai_edge_litert"],
            "pip install ai-edge-litert==",
        ),
        (["bench", "matrix", "ci", "--scheduler", "tcp://127.0.0.1:9"], ["distributed"], "pip install dask=="),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    cli, tmp_path: Path, arguments: list[str], modules: list[str], words: str
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    done = cli(*arguments, cwd=work, env=hidden(tmp_path, *modules))
    assert done.returncode == 3, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert list(work.iterdir()) == []


def test_folders_and_modules_of_the_users_have_any_name(cli, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    for name in ("reports/__init__.py", "converters.py", "keras_models.py", "firmware_stub.py"):
        (tmp_path / name).write_text("raise RuntimeError('mine')")
    done = cli("summary", TINY, cwd=tmp_path, env=beside(tmp_path))
    assert done.returncode == 0, done.stderr


def test_a_fault_in_a_worker_is_reported_with_its_log(cli, tmp_path: Path, smoke_run) -> None:
    run = shutil.copytree(smoke_run.path, tmp_path / "run")
    (run / "latency.json").unlink()
    done = cli("bench", run, "--quiet", env=failing(tmp_path, "tinycerb.bench.latency"))
    assert done.returncode == 70
    assert "latency: internal error, a fault of TinyCerb's: ZeroDivisionError: made up" in done.stderr
    assert f"log: {run}/log/latency.txt" in done.stderr
    assert "Traceback" not in done.stderr
    assert "ZeroDivisionError: made up" in (run / "log" / "latency.txt").read_text()


def test_a_fault_in_the_oracle_is_one(smoke_run) -> None:
    spec = OracleSpec(str(smoke_run.model("cerberos")), "probs", "random", "no number")  # type: ignore[arg-type]
    with SealedOracle(spec) as oracle, pytest.raises(InternalError, match="internal error"):
        oracle.reset()


def test_a_fault_in_a_process_apart_is_one(monkeypatch, tmp_path: Path, capfd) -> None:
    (tmp_path / "faulty.py").write_text("from tinycerb.subprocess_call import answer\nanswer(lambda: 1 // 0)\n")
    for name, value in beside(tmp_path).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InternalError, match="ZeroDivisionError: integer division"):
        call_in_subprocess("faulty")
    assert "Traceback" not in capfd.readouterr().err
    monkeypatch.setenv("TINYCERB_DEBUG", "1")
    with contextlib.suppress(InternalError):
        call_in_subprocess("faulty")
    assert "answer(lambda: 1 // 0)" in capfd.readouterr().err


def test_a_cell_that_failed_keeps_its_exit_code(smoke_run) -> None:
    display = SimpleNamespace(say=lambda told: None)
    cell = SimpleNamespace(key="cerberos/knockoff", digest="0")
    pool = _Pool(smoke_run, [], display)  # type: ignore[arg-type]
    pool._workers[1] = _Worker(1, None, cell)  # type: ignore[arg-type]
    pool._handle(1, {"error": "internal error, a fault of TinyCerb's: made up", "exit_code": 70})
    (here,) = pool._failures
    future = SimpleNamespace(status="error", exception=lambda: ZeroDivisionError("made up"))
    (there,) = Cluster._receive(None, cell, future, display)  # type: ignore[arg-type]
    for failure in (here, there):
        assert failure.exit_code == 70
        assert str(failure).startswith("cerberos/knockoff: internal error")


def test_a_matrix_tells_its_worst_failure(monkeypatch, smoke_run) -> None:
    failures = [EnvironmentProblem("no memory"), InternalError("made up"), UsageError("no such student")]
    monkeypatch.setattr(work, "lay_out", lambda runs, only: None)
    monkeypatch.setattr(work, "compute_cells", lambda *arguments: failures)
    monkeypatch.setattr(matrix, "_print_results", lambda *arguments: None)
    with pytest.raises(InternalError, match=r"3 cells failed(.|\n)*no memory\nmade up\nno such student"):
        matrix._compute([smoke_run], [], None, 1, True, False, False)
