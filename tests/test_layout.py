"""The house rules that a machine can check."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("tinycerb", "keras_models", "converters", "reports", "firmware_stub", "tests")
SOURCES = sorted(path for package in OURS for path in (ROOT / package).rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports_of(path: Path) -> set[str]:
    """Names of all modules that a file imports, anywhere in it: of ours below `tinycerb.`, of others the top level."""
    return {name if (name := module.split(".")[0]) != "tinycerb" else module for module, _ in imported_by(path)}


def imported_by(path: Path) -> list[tuple[str, int]]:
    """The modules that a file imports, in functions too, each with its line."""
    found: list[tuple[str, int]] = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports of ours are written out"
            module = node.module or ""
            found += [
                (f"{module}.{alias.name}" if module == "tinycerb" else module, node.lineno) for alias in node.names
            ]
    return found


# The house from the ground up: a room imports from rooms below it and never from one above.
FLOORS = (
    "errors", "__version__", "firmware_stub", "keras_models", "converters", "reports", "file_names", "events",
    "registry", "options", "bounded", "atomic", "plugins", "progress", "processes", "advice", "subprocess_call",
    "secret_file", "seal", "presets", "config", "datasets", "answers", "runtimes", "boards", "oracle", "defenses",
    "run", "ownership", "compression", "training", "attacks", "conversion", "bench", "verification", "jobs", "matrix",
    "check", "doctor", "workflow", "api", "cli", "__init__", "__main__",
)  # fmt: skip
# Modules that belong to no room.
LOOSE = {
    "atomic", "errors", "events", "file_names", "progress", "registry", "secret_file", "subprocess_call",
}  # fmt: skip
# Folders of the top level that are parts of the package.
TOP_LEVEL = ("converters", "firmware_stub", "keras_models", "reports")


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0] if parts[0] in TOP_LEVEL else parts[1]


PRODUCT = [path for path in SOURCES if path.relative_to(ROOT).parts[0] != "tests"]


def test_no_import_runs_up() -> None:
    offenders = []
    for path in PRODUCT:
        room = room_of(path)
        for module, line in imported_by(path):
            names = module.split(".")
            assert names[0] not in TOP_LEVEL, f"{path}:{line}: {names[0]} is tinycerb.{names[0]}"
            if names[0] == "tinycerb" and len(names) > 1 and FLOORS.index(names[1]) > FLOORS.index(room):
                offenders.append(f"{path.relative_to(ROOT)}:{line} ({room}) imports {module}, of a floor above it")
    assert offenders == []


def test_every_room_has_a_floor_and_no_floor_is_empty() -> None:
    rooms = {room_of(path) for path in PRODUCT}
    assert rooms | {"__version__"} == set(FLOORS)


def test_the_command_line_is_known_to_the_command_line_alone() -> None:
    """What a notebook calls must not end it, as Typer's exits would."""
    callers = [path for path in PRODUCT if "typer" in imports_of(path)]
    assert len(callers) > 10
    assert {room_of(path) for path in callers} == {"cli"}
    ending = [path for path in PRODUCT if {"sys.exit", "SystemExit"} & names_used_in(path) and room_of(path) == "api"]
    assert ending == []


def test_few_modules_lie_loose() -> None:
    assert {path.stem for path in (ROOT / "tinycerb").glob("*.py")} == LOOSE | {"__init__", "__main__"}
    assert len(LOOSE) <= 10


def literals_of(path: Path) -> list[tuple[str, int]]:
    """Texts of a file that stand alone, not those in f-strings, each with its line."""
    parts = {id(part) for node in ast.walk(tree_of(path)) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    return [
        (node.value, node.lineno)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts
    ]


def test_names_of_files_stand_in_one_place() -> None:
    home = ROOT / "tinycerb" / "file_names.py"
    names = {text for text, _ in literals_of(home) if "." in text and " " not in text}
    assert len(names) > 25
    spelt = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in PRODUCT
        if path != home and path.relative_to(ROOT).parts[0] == "tinycerb"
        for text, line in literals_of(path)
        if text in names
    ]
    assert spelt == []


def test_victims_are_resolved_in_one_place() -> None:
    calls = {
        str(path.relative_to(ROOT))
        for path in PRODUCT
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "defense_of"
    }
    assert calls == {"tinycerb/defenses/choice.py", "tinycerb/run/victim.py"}


# Who names a defence elsewhere, and why that is no knowledge of how it works.
NAMED = {
    "tinycerb/answers/outputs.py": (
        "an output mode of the same name, and the rounding of another",
        {"top1", "rounding"},
    ),
    "tinycerb/attacks/inversion.py": ("the attack is made against these two", {"dcp", "rs"}),
    "tinycerb/cli/cost.py": ("claims of their papers", {"dcp", "ini", "grad2"}),
    "tinycerb/config/attack.py": ("an output mode of the same name", {"top1"}),
    "tinycerb/matrix/reference_rows.py": ("rows that every table has", {"top1", "rounding"}),
}


def test_no_defence_is_named_outside_its_own_file() -> None:
    """Names of training parts and responses as texts, and imports of their modules; presets and packages aside."""
    from tinycerb.answers.responses import RESPONSES
    from tinycerb.defenses import DEFENSES

    homes = {name: kinds[name].__module__ for kinds in (DEFENSES, RESPONSES) for name in kinds if name != "none"}
    found = {}
    for path in PRODUCT:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        own = {name for name, home in homes.items() if home.split(".")[-1] == module.split(".")[-1]}
        named = {text.partition(",")[0] for text, _ in literals_of(path)} & set(homes) - own
        names_of = {home: name for name, home in homes.items()}
        imported = {names_of[name] for name, _ in imported_by(path) if name in names_of} - own
        if named | imported:
            found[str(path.relative_to(ROOT))] = named | imported
    assert found == {path: names for path, (_, names) in NAMED.items()}


@pytest.mark.parametrize("package", ["keras_models", "converters", "reports", "firmware_stub"])
def test_folders_of_the_top_level_stand_alone(package: str) -> None:
    """None of them knows the application, nor another of them."""
    offenders = [
        f"{path}:{line}: {module}"
        for path in (ROOT / package).rglob("*.py")
        for module, line in imported_by(path)
        if module.split(".")[0] == "tinycerb" and module.split(".")[1] != package
    ]
    assert offenders == []


def test_no_text_names_a_folder_of_the_top_level_as_a_module() -> None:
    """Such as the one that `import_module` gets: a wheel has no `keras_models`, only `tinycerb.keras_models`."""
    module = re.compile(rf"({'|'.join(TOP_LEVEL)})\.[a-z_.]*")
    offenders = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"
        for path in PRODUCT
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and module.fullmatch(node.value)
    ]
    assert offenders == []


def test_a_wheel_holds_one_package() -> None:
    """Nobody else's `reports` or `converters` is hidden, and nobody's hides ours."""
    from setuptools import find_packages

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    packages = find_packages(str(ROOT), include=settings["include"])
    assert {name.partition(".")[0] for name in packages} == {"tinycerb"}
    for name in TOP_LEVEL:
        assert (ROOT / "tinycerb" / name).readlink() == Path("..") / name
        assert f"tinycerb.{name}" in packages
    assert "tinycerb.converters.c_model" in packages


def test_keras_has_one_door() -> None:
    door = ROOT / "keras_models" / "legacy.py"
    offenders = [
        path for path in SOURCES if "tests" not in path.parts and path != door and "tf_keras" in imports_of(path)
    ]
    assert offenders == []
    assert [path for path in SOURCES if "tests" not in path.parts and "keras" in imports_of(path)] == []


# Whatever makes a network of what a file says, or an object of what a pickle says.
OPENS_FILES = {
    "load_model", "model_from_json", "model_from_config", "model_from_yaml", "load_partial", "TFSMLayer",
    "from_saved_model", "deserialize_keras_object", "func_load",
}  # fmt: skip


def names_used_in(path: Path) -> set[str]:
    """All names, attributes and imported names of a file, and `saved_model.load` as one."""
    names: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names |= {node.attr, f"{getattr(node.value, 'attr', getattr(node.value, 'id', ''))}.{node.attr}"}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.name for alias in node.names}
    return names


def test_keras_files_have_one_door() -> None:
    """Keras imports and runs what a file names: nobody else opens one. Pickles have a door of their own likewise."""
    doors = set((ROOT / "keras_models" / "keras_file").glob("*.py"))
    product = [path for path in SOURCES if "tests" not in path.parts]
    forbidden = OPENS_FILES | {"saved_model.load", "layers.deserialize", "models.deserialize"}
    assert [path for path in product if path not in doors and names_used_in(path) & forbidden] == []
    assert any(names_used_in(path) & forbidden for path in doors)
    pickles = [path for path in product if imports_of(path) & {"pickle", "marshal", "dill", "cloudpickle", "joblib"}]
    assert pickles == [ROOT / "tinycerb" / "datasets" / "array_pickle.py"]


def test_no_assert_decides_anything() -> None:
    """Python's -O takes asserts away: what must hold raises an error of its own, types are narrowed by `cast`."""
    shipped = [path for path in SOURCES if "tests" not in path.relative_to(ROOT).parts]
    assert len(shipped) > 200
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in shipped
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Assert)
        or (isinstance(node, ast.Name) and node.id == "__debug__")
        # Programs that are kept as text and run in a process of their own.
        or (isinstance(node, ast.Constant) and re.search(r"^\s*assert ", str(node.value), re.MULTILINE))
    ]
    assert found == []


# Removes a secret when its parent is gone, so it must not go with it.
GUARD = ROOT / "tinycerb" / "boards" / "lent_file.py"


def test_children_die_with_their_parent() -> None:
    """Whatever starts a process wraps its command, in the call or in the line that names it."""
    starts = {f"subprocess.{name}" for name in ("run", "Popen", "call", "check_call", "check_output")}
    starting = []
    for path in (path for path in SOURCES if "tests" not in path.relative_to(ROOT).parts and path != GUARD):
        calls = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
        names = [ast.unparse(call.func) for call in calls]
        begun = [call for call, name in zip(calls, names, strict=True) if name in starts]
        loose = [call for call in begun if not ast.unparse(call.args[0]).startswith(("die_with_parent(", "command"))]
        assert not loose, path
        assert len(begun) <= names.count("die_with_parent"), path
        assert not names_used_in(path) & {"os.system", "os.popen", "os.fork", "os.posix_spawn", "multiprocessing"}, path
        starting += begun
    assert len(starting) > 10


def test_tf_mot_has_one_door() -> None:
    door = ROOT / "keras_models" / "model_optimization.py"
    offenders = [path for path in SOURCES if "tensorflow_model_optimization" in imports_of(path)]
    assert offenders == [door]


def test_the_door_to_tf_mot_does_not_load_keras_3_and_leaves_it_to_others() -> None:
    code = (
        "import sys, tinycerb.keras_models.model_optimization; print('keras' in sys.modules); "
        "import keras; print(keras.__version__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    hidden, version = done.stdout.split()
    assert hidden == "False"
    assert version.startswith("3.")


def test_reports_need_neither_tensorflow_nor_a_runtime() -> None:
    for path in (ROOT / "reports").rglob("*.py"):
        assert not imports_of(path) & {"tensorflow", "tf_keras", "tflite_runtime", "tflite"}


def test_files_stay_small() -> None:
    lengths = sorted(len(path.read_text().splitlines()) for path in SOURCES)
    assert lengths[-1] <= 500
    assert lengths[len(lengths) // 2] <= 130


FIRMWARE = ROOT / "firmware_stub"
C_SOURCES = sorted(path for pattern in ("*.c", "*.h", "*.S") for path in FIRMWARE.rglob(pattern))


def test_firmware_knows_nothing_of_python() -> None:
    """Neither a Python module of ours nor a path to one: it can be copied into any C project."""
    (package,) = FIRMWARE.rglob("*.py")
    assert imports_of(package) == set()
    include = re.compile(r'^#include [<"]([^>"]+)[>"]', re.MULTILINE)
    standard = {"stddef.h", "stdint.h", "string.h", "arm_acle.h", "arm_mve.h", "immintrin.h"}
    # Made beside the image, or found in the sources of whoever compares kernels.
    generated = {"model.h", "golden.h", "arm_nnfunctions.h", "bench_case.h"}
    known = standard | generated | {path.name for path in C_SOURCES}
    unknown = {path.name: set(include.findall(path.read_text())) - known for path in C_SOURCES}
    assert not {name: names for name, names in unknown.items() if names}


def test_c_files_stay_small() -> None:
    lengths = sorted(len(path.read_text().splitlines()) for path in C_SOURCES)
    assert len(lengths) > 40
    assert lengths[-1] <= 200
    assert lengths[len(lengths) // 2] <= 60


def test_a_kernel_has_a_file_of_its_own_name() -> None:
    """Every function that a header of the kernels declares is defined in the file that is called like it."""
    headers = [path.read_text() for path in (FIRMWARE / "kernels").rglob("*.h")]
    declared = {name for text in headers for name in re.findall(r"^void tc_(\w+)\(", text, re.MULTILINE)}
    homes = {"multiply_one": "multiply", "multiply_two": "multiply", "softmax_row": "softmax"}
    defined: dict[Path, set[str]] = {}
    for path in (FIRMWARE / "kernels").rglob("*.c"):
        defined[path] = set(re.findall(r"^void tc_(\w+)\(", path.read_text(), re.MULTILINE))
        assert {homes.get(name, name) for name in defined[path]} == {path.stem}, path
    assert set().union(*defined.values()) == declared


def test_no_dynamic_memory() -> None:
    for path in C_SOURCES:
        assert not re.search(r"\b(malloc|calloc|realloc|free|alloca)\s*\(", path.read_text()), path


# Annotations that say `Any`: where a library has no types. Lower it with each that gets one; it never rises.
MOST_ANY = 100


def annotations_of(path: Path) -> list[ast.expr]:
    """Of arguments, results, variables and fields."""
    found: list[ast.expr | None] = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(node.returns)
        elif isinstance(node, ast.arg | ast.AnnAssign):
            found.append(node.annotation)
    return [annotation for annotation in found if annotation is not None]


def test_types_are_written_out() -> None:
    untyped = [
        f"{path.relative_to(ROOT)}:{annotation.lineno}"
        for path in PRODUCT
        for annotation in annotations_of(path)
        if any("Any" in (getattr(node, "id", ""), getattr(node, "attr", "")) for node in ast.walk(annotation))
    ]
    assert len(untyped) <= MOST_ANY, untyped


def test_locks_pin_the_proven_set() -> None:
    lock = (ROOT / "requirements" / "runtime.lock").read_text()
    pins = dict(re.findall(r"^([a-z0-9_.-]+)==(\S+)", lock, flags=re.MULTILINE))
    assert pins["tensorflow"] == pins["tf-keras"] == "2.21.0"
    assert pins["numpy"] == "1.26.4"
    assert (pins["tflite-runtime"], pins["tensorflow-model-optimization"]) == ("2.14.0", "0.8.1")
    assert "http" not in lock
