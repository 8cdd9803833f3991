"""What people type where a preset, a model or data are asked for, and what they meant."""

import ast
from pathlib import Path

from tinycerb import file_names
from tinycerb.bounded.files import MOST_TEXT, read_bytes
from tinycerb.config.user_sources import Sources, is_keras_model, is_reference
from tinycerb.errors import UsageError
from tinycerb.presets import is_preset

_ARRAYS = (".npz", ".npy")


def check_preset(text: str) -> None:
    """Refuses a model, data or a run in a preset's place, with the option that takes it.

    Raises:
        UsageError: it is one of these.
    """
    path = Path(text)
    if is_preset(text):
        return
    if (path / file_names.CONFIG).is_file():
        raise UsageError(f"{text} is a run, not a preset; go on with it: --resume {text}")
    if is_keras_model(path) or is_reference(text):
        raise UsageError(f"{text} is a model, not a preset; give it by its option: --model {text} --data DATA")
    if path.suffix == ".py":
        raise UsageError(f"{text} is no preset; for a model of your own: --model {_by_function(text)} --data DATA")
    if path.suffix in _ARRAYS or path.is_dir():
        raise UsageError(f"{text} is no preset; for data of your own: --data {text}, and --model for your network")
    if path.suffix == ".tflite":
        raise UsageError(f"{text} is converted already; what takes it: tinycerb flash {text}, tinycerb summary {text}")


def check_sources(sources: Sources) -> None:
    """Refuses a name that is no text, a Python file, or a function behind a dot for `package.module:function`.

    Raises:
        UsageError: it is one of these; the message has the right words.
    """
    for option, text in (("--model", sources.model), ("--data", sources.data), ("--query-pool", sources.query_pool)):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"{option} {text!r} is no text in UTF-8, and a run writes it down; rename it") from error
        module, _, name = text.rpartition(".")
        if text.endswith(".py"):
            raise UsageError(f"{option} {text}: a function is named with its module: {option} {_by_function(text)}")
        if not Path(text).exists() and module and Path(f"{module.replace('.', '/')}.py").is_file():
            raise UsageError(f"there is no file {text}; did you mean the function: {option} {module}:{name}")


def _by_function(text: str) -> str:
    """`sub/net.py` -> `sub.net:build`, if that is what the file has."""
    path = Path(text)
    parts = path.with_suffix("").parts
    module = ".".join(parts) if not path.is_absolute() and ".." not in parts else path.stem
    found = _functions(path)
    return f"{module}:{'build' if 'build' in found or not found else found[0]}"


def _functions(path: Path) -> list[str]:
    """Names of the functions that can be called without arguments; the file is read, not run."""
    try:
        body = ast.parse(read_bytes(path, MOST_TEXT)).body
    except (OSError, UsageError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and len(node.args.args) == len(node.args.defaults)
    ]
