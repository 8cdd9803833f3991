"""Whoever reads a file goes through `tinycerb.bounded`, or stands here with the reason why not."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("tinycerb", "converters", "keras_models", "reports")
METHODS = {"read_bytes", "read_text", "open"}
FUNCTIONS = {
    "np.load", "np.fromfile", "np.loadtxt", "Image.open", "gzip.open", "zipfile.ZipFile", "tarfile.open", "h5py.File",
    "tomllib.load", "tomllib.loads", "json.load", "open", "io.open",
}  # fmt: skip
# Several classes have a method of that name.
OTHER_OPENS = {"RunDirectory.open", "cls.open", "os.open", "ELFFile.open", "zipfile.Path.open", "archive.open"}

PACKAGE = "a file of this package"
MACHINE = "a file of the system, or of a device's drive"
OURS = "made by this process or a child of its own"
RUN = "an artefact inside of a run"
PUBLISHED = "published data, kept where they were fetched to"
BOUNDED = "the mechanism itself, or text that it has bounded"
WRITING = "opened for writing"
REASONS = {PACKAGE, MACHINE, OURS, RUN, PUBLISHED, BOUNDED, WRITING}

EXCEPTIONS: dict[str, dict[str, str]] = {
    "converters/c_model/host.py": {".read_bytes": PACKAGE, ".read_text": MACHINE},
    "converters/contract.py": {"tomllib.loads": PACKAGE, ".read_text": PACKAGE},
    "converters/head_select_op/build.py": {".read_bytes": PACKAGE},
    "converters/known_operators.py": {"tomllib.loads": PACKAGE, ".read_text": PACKAGE},
    "converters/model_file.py": {".read_bytes": BOUNDED},
    "keras_models/__init__.py": {".read_text": PACKAGE},
    "keras_models/keras_file/archive.py": {"zipfile.ZipFile": BOUNDED, "h5py.File": BOUNDED},
    "keras_models/keras_file/hdf5.py": {"h5py.File": BOUNDED},
    "keras_models/keras_file/saved_model.py": {".read_bytes": BOUNDED},
    "tinycerb/api/inputs.py": {".read_bytes": OURS},
    "tinycerb/atomic.py": {".open": WRITING},
    "tinycerb/bench/handling.py": {"Image.open": OURS},
    "tinycerb/bench/code_digest.py": {".read_bytes": PACKAGE, ".read_text": PACKAGE},
    "tinycerb/matrix/estimate.py": {".open": WRITING, ".read_text": RUN},
    "tinycerb/matrix/parcels.py": {"np.load": OURS},
    "tinycerb/matrix/pool.py": {".open": WRITING},
    "tinycerb/boards/board.py": {".read_text": PACKAGE},
    "tinycerb/boards/build.py": {".read_text": PACKAGE},
    "tinycerb/boards/elf.py": {".read_bytes": OURS},
    "tinycerb/boards/emulator.py": {".read_bytes": OURS},
    "tinycerb/boards/uf2_drive.py": {".read_text": MACHINE},
    "tinycerb/boards/unicorn_machine.py": {".open": OURS},
    "tinycerb/bounded/arrays.py": {"zipfile.ZipFile": BOUNDED},
    "tinycerb/bounded/files.py": {".open": BOUNDED},
    "tinycerb/bounded/texts.py": {"tomllib.loads": BOUNDED},
    "tinycerb/datasets/array_pickle.py": {"gzip.open": PUBLISHED},
    "tinycerb/datasets/cifar.py": {"tarfile.open": PUBLISHED},
    "tinycerb/datasets/fetch.py": {"np.load": PUBLISHED},
    "tinycerb/datasets/fetched.py": {".open": PUBLISHED, "np.load": PUBLISHED},
    "tinycerb/datasets/gtsrb.py": {".open": PUBLISHED, "Image.open": PUBLISHED},
    "tinycerb/datasets/idx.py": {"gzip.open": PUBLISHED},
    "tinycerb/datasets/pictures.py": {"Image.open": BOUNDED},
    "tinycerb/datasets/tiny_imagenet.py": {"Image.open": PUBLISHED, "zipfile.ZipFile": PUBLISHED},
    "tinycerb/datasets/tiny_imagenet_classes.py": {"tomllib.loads": PACKAGE, ".read_text": PACKAGE},
    "tinycerb/datasets/user_data.py": {".open": OURS},
    "tinycerb/advice/install.py": {".read_text": PACKAGE, "tomllib.loads": PACKAGE},
    "tinycerb/jobs/scheduler.py": {".open": WRITING},
    "tinycerb/oracle/array_pipe.py": {"np.load": OURS},
    "tinycerb/presets/__init__.py": {".read_text": PACKAGE},
    "tinycerb/config/layers.py": {"tomllib.loads": BOUNDED},
    "tinycerb/run/directory.py": {".open": WRITING},
    "tinycerb/runtimes/named_arrays.py": {"np.load": OURS},
    "tinycerb/seal/files.py": {".read_bytes": BOUNDED},
    "tinycerb/seal/manifest.py": {".open": WRITING},
    "tinycerb/seal/versions.py": {".read_text": MACHINE},
    "tinycerb/secret_file.py": {".read_text": MACHINE},
    "tinycerb/training/artefacts.py": {"h5py.File": OURS},
    "tinycerb/workflow/convert_child.py": {"json.load": OURS},
}


def name_of(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id
    if not isinstance(function, ast.Attribute):
        return ""
    owner = ast.unparse(function.value)
    whole = f"{owner}.{function.attr}"
    if whole in FUNCTIONS or whole in OTHER_OPENS:
        return whole
    return f".{function.attr}" if function.attr in METHODS else ""


def calls_in(path: Path) -> set[str]:
    """What a file calls that opens or parses one."""
    calls = {name_of(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}
    return calls & (FUNCTIONS | {f".{method}" for method in METHODS})


def test_every_reader_is_bounded_or_has_a_reason() -> None:
    sources = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    found = {str(path.relative_to(ROOT)): calls for path in sorted(sources) if (calls := calls_in(path))}
    assert found == {file: set(calls) for file, calls in EXCEPTIONS.items()}, "read it through tinycerb.bounded"
    assert {reason for calls in EXCEPTIONS.values() for reason in calls.values()} == REASONS


def test_a_reader_is_seen_wherever_it_stands(tmp_path) -> None:
    (tmp_path / "new.py").write_text(
        "def f(path):\n    return [np.load(path), path.open(), open(path), read_bytes(path, 1)]\n"
    )
    assert calls_in(tmp_path / "new.py") == {"np.load", ".open", "open"}
