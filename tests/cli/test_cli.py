"""The command line as a newcomer meets it."""

import json
import os
import resource
import subprocess
import sys

import pytest

from tinycerb import __version__
from tinycerb.seal.care import adopt

COMMANDS = (
    "run", "train", "prune", "convert", "summary", "bench", "check", "report", "doctor", "flash", "defenses",
    "tune-defense", "ownership", "compare", "keygen", "attacks", "students", "backbones", "datasets",
    "augmentations", "optimizers", "presets", "boards",
)  # fmt: skip


def test_help_answers_at_once_and_imports_no_tensorflow() -> None:
    def once() -> float:
        # Processor time of the child: what else the machine does must not count.
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "tinycerb", "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(once() for _ in range(5)) < 0.5
    code = "import sys, tinycerb.cli; print(sorted({'tensorflow', 'numpy', 'matplotlib'} & set(sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_in_a_narrow_terminal(cli, command: str) -> None:
    finished = cli(command, "-h", env={**os.environ, "COLUMNS": "60", "NO_COLOR": "1"})
    assert finished.returncode == 0
    assert max(map(len, finished.stdout.splitlines())) <= 60
    assert len(finished.stdout) > 200


def test_prune_prints_every_group_and_cuts_nothing(cli, tmp_path) -> None:
    finished = cli("prune", "demo", cwd=tmp_path, env={**os.environ, "COLUMNS": "120"})
    assert finished.returncode == 0, finished.stderr
    cerberos = finished.stdout.partition("cerberos:")[2]
    for name in ("block1_pointwise", "block2_pointwise", "block3_depthwise", "head_2"):
        assert name in cerberos
    assert "nothing was cut" in finished.stdout
    assert list(tmp_path.iterdir()) == []


def test_version_names_the_stack(cli) -> None:
    finished = cli("--version")
    assert f"tinycerb {__version__}" in finished.stdout
    assert "tflite-runtime 2.14.0" in finished.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "demoo"], "did you mean 'demo'"),
        (["run"], "give either a preset"),
        (["run", "demo", "--resume", "x"], "give either a preset"),
        (["run", "--resume", "nowhere"], "nowhere is no run directory"),
        (["run", "--resume", "x", "--force"], "leave out --set"),
        (["run", "smoke", "--set", "training.dense_epoch=1"], "did you mean 'dense_epochs'"),
        (["run", "smoke", "--set", 'attacks=[{name="k",attack="knockof"}]'], "did you mean 'knockoff'"),
        (["run", "smoke", "--set", 'attacks=[{name="k",students=["big"]}]'], "unknown student 'big'"),
        (["run", "smoke", "--jobs", "-1"], "--jobs"),
        (["run", "smoke", "--set", "model.backbone=demonet"], "did you mean 'demo_net'"),
        (["prune", "demoo"], "did you mean 'demo'"),
        (["prune"], "give a preset"),
        (["convert", "nowhere"], "no run directory"),
        (["report", "nowhere"], "no run directory"),
    ],
)
def test_wrong_usage_is_exit_2_and_leaves_nothing(cli, tmp_path, arguments: list[str], message: str) -> None:
    finished = cli(*arguments, cwd=tmp_path)
    assert finished.returncode == 2
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_missing_configuration_file_is_exit_3(cli, tmp_path) -> None:
    finished = cli("run", "nowhere.toml", cwd=tmp_path)
    assert finished.returncode == 3
    assert "cannot read the configuration nowhere.toml" in finished.stderr


@pytest.mark.parametrize("content", [None, b"not gzip", b""])
def test_missing_or_corrupt_data_is_exit_3_before_any_training(cli, tmp_path, content: bytes | None) -> None:
    folder = tmp_path / "path" / "animal_mnist" / "data" / "Animal_MNIST"
    folder.mkdir(parents=True)
    (tmp_path / "path" / "animal_mnist" / "__init__.py").write_text("")
    if content is not None:
        (folder / "animal_data_version_3.gz").write_bytes(content)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "path")}
    finished = cli("run", "smoke", "--out", tmp_path / "run", env=environment)
    assert finished.returncode == 3
    assert "animal_data_version_3.gz is missing or corrupt" in finished.stderr
    assert "pip install" in finished.stderr
    assert not (tmp_path / "run" / "victims").exists()


def test_an_existing_run_is_never_overwritten_unasked(cli, smoke_run) -> None:
    before = smoke_run.metrics.read_bytes()
    finished = cli("run", "smoke", "--out", smoke_run.path)
    assert finished.returncode == 2
    assert "--resume" in finished.stderr
    assert "--force" in finished.stderr
    assert smoke_run.metrics.read_bytes() == before


def test_force_deletes_nothing_that_is_no_run(cli, tmp_path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    finished = cli("run", "smoke", "--out", tmp_path, "--force")
    assert finished.returncode == 2
    assert "it is no run of TinyCerb's" in finished.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ('victims=[{name="undefended",defense="cerberos",options={heads=11}}]', "11 heads; allowed: 1 to 10"),
        ('victims=[{name="undefended",defense="cerberos",options={selection="fixed"}}]', "always answers with head 0"),
        (
            'victims=[{name="undefended",defense="cerberos",options={selection="x"}}]',
            "option selection is 'x'; allowed: coarse_keyed, fixed, keyed, random",
        ),
        ('victims=[{name="undefended",defense="cerberos",options={diversity_weight=nan}}]', "expected a finite number"),
        ("data.validation_images=70000", "fashion_mnist has 60000"),
        ("attacks=[{name='k',budget=9717}]", "budget is 9717"),
    ],
)
def test_a_configuration_that_cannot_work_ends_before_any_training(cli, fresh, override: str, message: str) -> None:
    finished = cli("run", "smoke", "--out", fresh, "--set", override)
    assert finished.returncode == 2
    assert message in finished.stderr
    assert not (fresh / "victims").exists()


@pytest.mark.parametrize("path", ["/proc/run", "/dev/null/run"])
def test_an_unwritable_path_is_exit_3_and_named(cli, path: str) -> None:
    finished = cli("run", "smoke", "--out", path)
    assert finished.returncode == 3
    assert f"cannot write {path}" in finished.stderr


def test_a_full_disk_is_exit_3_and_leaves_nothing_half_written(tmp_path) -> None:
    """On a real file system of 96 KiB: the configuration fits, the first checkpoint does not."""
    shell = """
mount -t tmpfs -o size=96k tmpfs "$1" && "$2" -m tinycerb train smoke --out "$1/run" --jobs 1 --quiet
echo "exit code $?"; find "$1" -type f
"""
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", shell, "sh", str(tmp_path), sys.executable]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "exit code 3" in finished.stdout
    assert "the disk is full" in finished.stderr
    assert "--resume" in finished.stderr
    files = {path.rsplit("/", 1)[-1] for path in finished.stdout.splitlines()[1:]}
    assert {"config.toml", "env.json"} <= files
    assert not {name for name in files if "part" in name or name.endswith((".h5", ".npz"))} - {
        "out_of_distribution.npz"
    }


def test_steps_out_of_order_name_the_missing_one(cli, fresh, smoke_run) -> None:
    fresh.mkdir()
    (fresh / "config.toml").write_text((smoke_run.path / "config.toml").read_text())
    for command, remedy in (("convert", "tinycerb train --resume"), ("bench", "tinycerb train --resume")):
        finished = cli(command, fresh)
        assert finished.returncode == 2
        assert remedy in finished.stderr
    finished = cli("report", fresh)
    assert finished.returncode == 2
    assert "tinycerb bench" in finished.stderr


def test_a_damaged_model_file_is_exit_3(cli, fresh, smoke_run) -> None:
    import shutil

    shutil.copytree(smoke_run.path, fresh)
    model = fresh / "victims" / "cerberos" / "model.tflite"
    model.write_bytes(model.read_bytes()[:2000])
    (fresh / "victims" / "cerberos" / "measurements.json").unlink()
    finished = cli("bench", fresh)
    assert finished.returncode == 3
    assert "model.tflite is damaged: SHA-256" in finished.stderr
    assert f"tinycerb convert {fresh}" in finished.stderr
    assert not (fresh / "victims" / "cerberos" / "measurements.json").exists()


def test_a_missed_gate_is_exit_1_after_the_report(cli, fresh, smoke_run) -> None:
    import shutil

    shutil.copytree(smoke_run.path, fresh)
    text = (fresh / "config.toml").read_text().replace("minimum_accuracy = 0.0", "minimum_accuracy = 0.99", 1)
    (fresh / "config.toml").write_text(text)
    adopt(fresh)
    (fresh / "report.pdf").unlink()
    finished = cli("run", "--resume", fresh, "--quiet")
    assert finished.returncode == 1
    assert "is below minimum_accuracy 99.0%" in finished.stderr
    assert (fresh / "report.pdf").exists()


def test_run_prints_table_and_path(smoke_run) -> None:
    text = (smoke_run.path / "stdout.txt").read_text()
    assert "stolen T1, mean head" in text
    assert f"report: {smoke_run.report}" in text


def test_json_is_one_object(cli, smoke_run) -> None:
    finished = cli("bench", smoke_run.path, "--json", "--quiet")
    assert finished.returncode == 0, finished.stderr
    metrics = json.loads(finished.stdout)
    assert metrics["schema_version"] == 2
    assert set(metrics["victims"]) == {"undefended", "cerberos"}


def test_doctor_finds_this_machine_sound(cli) -> None:
    finished = cli("doctor", "--json")
    findings = json.loads(finished.stdout)["findings"]
    assert finished.returncode == 0, findings
    assert {finding["status"] for finding in findings} == {"OK"}
    assert len(findings) >= 8


def test_doctor_builds_the_interpreter(cli, tmp_path) -> None:
    """A runtime that imports but cannot build, as under NumPy 2, is found out and gets a command."""
    broken = tmp_path / "tflite_runtime"
    broken.mkdir()
    (broken / "__init__.py").write_text("")
    (broken / "interpreter.py").write_text("def Interpreter(*a, **k): raise SystemError('_ARRAY_API not found')\n")
    finished = cli("doctor", "--json", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    runtime = next(f for f in json.loads(finished.stdout)["findings"] if f["name"] == "tflite-runtime")
    assert finished.returncode == 3
    assert "_ARRAY_API" in runtime["detail"]
    assert "pip install" in runtime["remedy"]
