"""`tinycerb.train`, `convert`, `open`, `attack`, `evaluate`, `report`: what the commands do, from Python."""

import ast
import json
import os
import pkgutil
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinycerb
from tests.processes.test_variables import without_ours
from tinycerb.converters.model_file import read_model_file
from tinycerb.datasets import load_dataset
from tinycerb.errors import EnvironmentProblem, TinyCerbError, UsageError
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import read_json

FUNCTIONS = ("attack", "convert", "evaluate", "load_plugin", "open", "report", "train")
NOTEBOOK = Path(__file__).with_name("notebook.py")
# What no type checker would let pass.
NO_MODEL: Any = object()
NO_DATA: Any = [1, 2, 3]


@pytest.fixture(scope="module", autouse=True)
def _every_room() -> None:
    """Whatever else was imported, in whichever order, the face works."""
    for module in pkgutil.walk_packages(tinycerb.__path__, "tinycerb."):
        if not module.name.endswith("__main__"):
            import_module(module.name)


@pytest.fixture(scope="module")
def run(smoke_run: RunDirectory, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return RunDirectory.open(Path(shutil.copytree(smoke_run.path, tmp_path_factory.mktemp("face") / "run")))


def test_the_package_shows_its_functions_and_names_them_to_whoever_errs() -> None:
    assert set(tinycerb.__all__) == {"__version__", *FUNCTIONS}
    assert set(FUNCTIONS) <= set(dir(tinycerb))
    assert all(getattr(tinycerb, name).__doc__ for name in FUNCTIONS)
    with pytest.raises(AttributeError, match=r"no attribute 'steal'; it has: attack, convert, evaluate"):
        _ = tinycerb.steal  # type: ignore[attr-defined]


def test_editors_see_what_is_loaded_lazily() -> None:
    """Names that a type checker follows are those that `__getattr__` finds, and the package says that it has types."""
    package = Path(tinycerb.__file__).parent
    ours = ast.parse((package / "__init__.py").read_text())
    imported = {
        alias.name: node.module
        for block in ours.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == {name: getattr(tinycerb, name).__module__ for name in FUNCTIONS}
    assert (package / "py.typed").is_file()


def test_no_function_changes_the_environment_or_loads_tensorflow(tmp_path: Path) -> None:
    code = (
        "import json, os, sys; before = dict(os.environ); import tinycerb\n"
        f"for name in {FUNCTIONS}: getattr(tinycerb, name)\n"
        "heavy = {'tensorflow', 'tf_keras', 'keras', 'tflite_runtime', 'matplotlib'}\n"
        "print(json.dumps([dict(os.environ) == before, sorted(heavy & set(sys.modules))]))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=without_ours())
    assert json.loads(done.stdout) == [True, []]


def test_train_goes_on_with_a_run_and_tells_its_victims(run: RunDirectory) -> None:
    trained = tinycerb.train(resume=run.path, progress=False)
    assert (Path(trained), trained.name, trained.recommended) == (run.path, "smoke", "cerberos")
    assert [(victim.name, victim.defense, victim.heads) for victim in trained.victims] == [
        ("undefended", "none", 1),
        ("cerberos", "cerberos", 3),
    ]
    found = read_json(run.victims["cerberos"].files.training)
    assert trained.victims[1].parameters == found["parameters"]
    assert trained.victims[1].accuracy == pytest.approx(np.mean(found["float_accuracy_per_head"]))
    assert json.loads(json.dumps(trained.to_json()))["victims"][1]["parameters"] == found["parameters"]


def test_convert_and_open_find_the_same_files(run: RunDirectory) -> None:
    converted = tinycerb.convert(run.path, progress=False)
    assert [model.name for model in converted.models] == ["undefended", "cerberos"]
    model = converted["cerberos"]
    assert model.flash_bytes == run.model("cerberos").stat().st_size
    assert 0 < model.arena_bytes < 100_000
    assert tinycerb.open(converted, progress=False) == tinycerb.open(run.model("cerberos"))
    opened = tinycerb.open(run.victim("undefended"), progress=False)
    assert (opened.heads, opened.card.classes, opened.class_names[0]) == (1, 10, "T-shirt")
    assert repr(opened) == f"Model({str(run.model('undefended'))!r}, heads=1, classes=10, response='none')"
    assert json.loads(json.dumps(model.to_json()))["card"]["file_bytes"] == model.flash_bytes


def test_convert_puts_a_response_on_a_copy(run: RunDirectory, tmp_path: Path) -> None:
    model = tinycerb.convert(run.model("undefended"), tmp_path / "out", response="top1", progress=False).models[0]
    assert model.path == tmp_path / "out" / "model.tflite"
    test = load_dataset(run.config.data).test.images[:50]
    bare = tinycerb.open(run.model("undefended")).predict(test)
    assert (model.predict(test).labels == bare.labels).all()
    # The label alone; what a code cannot hold of 256 is the runner-up's.
    assert set(np.unique(model.predict(test).codes)) == {0, 1, 255}
    with pytest.raises(UsageError, match="exists already"):
        tinycerb.convert(run.model("undefended"), tmp_path / "out", progress=False)


def test_a_keras_file_is_converted_in_a_process_of_its_own(run: RunDirectory, tmp_path: Path) -> None:
    data = load_dataset(run.config.data).test
    source = run.victim("undefended") / "model.h5"
    converted = tinycerb.convert(
        source, tmp_path / "out", data=(data.images, data.labels), max_accuracy_drop=50, progress=False
    )
    ours = read_model_file(run.model("undefended"))
    assert len(read_model_file(converted.models[0].path).operators) == len(ours.operators)


def test_predict_answers_as_measured(run: RunDirectory) -> None:
    test = load_dataset(run.config.data).test
    answers = tinycerb.open(run.model("undefended")).predict(test.images[..., 0])
    assert answers.posteriors.dtype == np.float32
    assert (answers.codes.astype(int).sum(axis=1) == 256).all()
    measured = read_json(run.victims["undefended"].files.measurements)["accuracy"]["accuracy_expected"]
    assert float((answers.labels == test.labels).mean()) == pytest.approx(measured)
    assert answers.names[0] == answers.class_names[answers.labels[0]]
    assert answers.to_json()["labels"] == answers.labels.tolist()
    model = tinycerb.open(run.model("cerberos"))
    drawn, again, other = (model.predict(test.images, seed=seed).codes for seed in (1, 1, 2))
    assert (drawn == again).all()
    assert (drawn != other).any()
    for wrong, told in ((test.images / 255, "dtype float64"), (test.images[:, :20], r"the model takes \(28, 28, 1\)")):
        with pytest.raises(UsageError, match=told):
            model.predict(wrong)
    with pytest.raises(UsageError, match="unknown head selection 'none'"):
        model.predict(test.images, selection="none")


def test_evaluate_reads_what_bench_has_measured(run: RunDirectory) -> None:
    metrics = read_json(run.metrics)
    found = tinycerb.evaluate(run.path, progress=False)
    assert (found.baseline, found.recommended, Path(found)) == ("undefended", "cerberos", run.path)
    for name, victim in metrics["victims"].items():
        assert found[name].accuracy == victim["accuracy"]["accuracy_expected"]
        assert found[name].flash_bytes == victim["file"]["flash_bytes"]
        assert found[name].stolen == {"T1": max(cell["clone_accuracy"] for cell in victim["cells"])}
    assert found.conclusive == {"T1": metrics["threats"]["T1"]["conclusive"]}
    assert any(sentence.startswith("T1, ") for sentence in found.verdict)
    assert found.gates_missed == ()
    found.check()
    assert read_json(run.metrics) == metrics
    assert json.loads(json.dumps(found.to_json()))["victims"][0]["name"] == "undefended"


def test_an_attack_of_the_run_finds_its_cells_and_one_of_the_callers_makes_new_ones(run: RunDirectory) -> None:
    cells = read_json(run.metrics)["victims"]["cerberos"]["cells"]
    before = sorted((run.path / "cells").glob("*.json"))
    known = tinycerb.attack(run.path, progress=False)
    assert sorted((run.path / "cells").glob("*.json")) == before
    assert (known.victim, known.threat_class, known.attack.budget) == ("cerberos", "T1", 600)
    assert {clone.selection: clone.accuracy for clone in known.clones} == {
        cell["selection"]: cell["clone_accuracy"] for cell in cells
    }
    assert known.clone_accuracy == max(cell["clone_accuracy"] for cell in cells)

    pool = np.random.default_rng(0).integers(0, 256, (80, 28, 28, 1), dtype=np.uint8)
    model = tinycerb.open(run.model("undefended"))
    new = tinycerb.attack(model, pool=pool, questions=80, settings={"epochs": 1}, progress=False)
    assert (new.victim, new.attack.epochs, new.best.questions, len(new.clones)) == ("undefended", 1, 80, 1)
    assert 0 <= new.clone_accuracy < 1
    (kept,) = (run.path.parent / "inputs").iterdir()
    assert new.attack.query_pool == str(kept)
    assert len(list((run.path / "cells").glob("*.json"))) == len(before) + 1
    assert json.loads(json.dumps(new.to_json()))["clone_accuracy"] == new.clone_accuracy


def test_report_renders_the_same_pages_again(run: RunDirectory, smoke_run: RunDirectory) -> None:
    pages = tinycerb.report(run.path)
    assert pages.pdf == run.report
    assert pages.pdf.read_bytes() == smoke_run.report.read_bytes()
    assert pages.model_card.read_text().startswith("# ")


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        (lambda run: tinycerb.train("dmeo"), UsageError, "did you mean 'demo'"),
        (lambda run: tinycerb.train("smoke", settings={"training": {"dense_epoch": 1}}), UsageError, "dense_epochs"),
        (lambda run: tinycerb.train(model=NO_MODEL, data="d.npz"), UsageError, "the model is builtins.object; allowed"),
        (lambda run: tinycerb.train(data=NO_DATA), UsageError, "data is builtins.list; allowed"),
        (lambda run: tinycerb.train("smoke", out=run), UsageError, "exists already"),
        (lambda run: tinycerb.open("nothing.tflite"), EnvironmentProblem, "there is no nothing.tflite"),
        (lambda run: tinycerb.evaluate("nothing"), UsageError, "is no run directory"),
        (lambda run: tinycerb.report("nothing"), UsageError, "is no run directory"),
        (lambda run: tinycerb.attack(run, "knokcoff"), UsageError, "did you mean 'knockoff'"),
        (lambda run: tinycerb.attack(run, victim="cerberus"), UsageError, "did you mean 'cerberos'"),
        (lambda run: tinycerb.attack(run, questions=10**9), UsageError, "budget"),
        (lambda run: tinycerb.attack(run, students=["lenat"]), UsageError, "did you mean 'lenet'"),
        (lambda run: tinycerb.attack(run, settings={"epoch": 1}), UsageError, "did you mean 'epochs'"),
        (lambda run: tinycerb.attack("lone.tflite"), UsageError, "lone.tflite is of no run"),
        (lambda run: tinycerb.convert(run, op="none"), UsageError, "allowed: builtin"),
    ],
)
def test_errors_are_tinycerbs_own(
    run: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call, error: type[TinyCerbError], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = dict(os.environ)
    with pytest.raises(error, match=told):
        call(run.path)
    assert dict(os.environ) == environment
    assert list(tmp_path.glob("*.toml")) == []


def test_a_plugin_is_loaded_once_its_user_names_it(tmp_path: Path) -> None:
    """In a program of its own: what is registered stays."""
    plugin = tmp_path / "my_student.py"
    plugin.write_text(
        "from tinycerb.attacks import STUDENTS\n\n\n"
        '@STUDENTS.register(\'my_student\')\ndef my_student(image_shape, classes):\n    """Nothing yet."""\n'
    )
    code = (
        "import json, tinycerb; loaded = tinycerb.load_plugin('my_student.py').to_json(); "
        "from tinycerb.attacks import STUDENTS; print(json.dumps([loaded, 'my_student' in STUDENTS]))"
    )
    environment = {
        **os.environ,
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "PYTHONPATH": str(Path(tinycerb.__file__).parents[1]),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded, registered = json.loads(done.stdout)
    assert registered
    assert (loaded["name"], loaded["path"]) == ("my_student", str(plugin))
    with pytest.raises(UsageError, match="there is no such file"):
        tinycerb.load_plugin(tmp_path / "none.py")


def test_a_notebook_trains_its_own_model_on_its_own_arrays(tmp_path: Path) -> None:
    """With Keras 3 and TensorFlow loaded, its own GPU setting, and no guard around the program."""
    command = [sys.executable, "-W", "error::UserWarning", str(NOTEBOOK)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env=without_ours(CUDA_VISIBLE_DEVICES="0")
    )
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout.splitlines()[-1])
    assert facts["started"] == 1
    assert facts["environment_kept"]
    assert facts["keras"].startswith("3.")
    # The int8 file answers as it was measured.
    assert facts["accuracy"] == pytest.approx(facts["measured"])
    assert facts["accuracy"] > 0.5
    run = tmp_path / "runs" / "own"
    assert facts["flash_bytes"] == (run / "victims" / "undefended" / "model.tflite").stat().st_size
    assert "Traceback" not in done.stderr
    assert read_json(run / "env.json")["command"] == "tinycerb.train(...)"
    # What was in memory lies beside the run, which can be resumed and attacked again.
    assert {path.name.partition("-")[0] for path in (tmp_path / "runs" / "inputs").iterdir()} == {"data", "model"}
