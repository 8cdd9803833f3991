"""What a converted file must keep to: integers only, operators that the runtimes read, one output found by name."""

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from tinycerb.converters.layer_names import layer_name
from tinycerb.converters.model_file import ModelFile, Operator

_FLOATS = ("float16", "float32", "float64", "bfloat16")
DEFAULT_TARGETS = ("tflite-runtime-2-14", "tflite-micro")


@cache
def load_targets() -> dict[str, dict[str, int]]:
    """Returns per runtime its table from operator name to its highest readable version."""
    return tomllib.loads((resources.files("tinycerb.converters") / "targets.toml").read_text())


def load_target(name: str) -> dict[str, int]:
    """Returns one runtime's table.

    Raises:
        KeyError: unknown runtime.
    """
    return load_targets()[name]


def contract_violations(model: ModelFile, targets: Sequence[str] = DEFAULT_TARGETS) -> list[str]:
    """Checks a file against the contract.

    Args:
        model: the file.
        targets: runtimes that must be able to run it, names of tables in `targets.toml`.

    Returns:
        One sentence per violation, each naming its layer and operator; empty for a sound file.
    """
    found = [] if not model.branches else [f"the file has {1 + len(model.branches)} subgraphs; expected 1"]
    for operator in model.operators:
        found += _unknown(operator, targets)
        for target in targets:
            found += _too_new(operator, target)
        found += [
            f"{_where(operator)}: works on {tensor.dtype} (tensor {tensor.index}); only integers are allowed"
            for tensor in (*operator.inputs, *operator.outputs)
            if tensor.dtype in _FLOATS
        ]
    return found + _wrong_ends(model)


def operator_violations(operator: Operator, target: str) -> list[str]:
    """Returns why a runtime cannot run an operator: no sentence, or one."""
    return _unknown(operator, [target]) or _too_new(operator, target)


def _unknown(operator: Operator, targets: Sequence[str]) -> list[str]:
    """One sentence for all runtimes that are not known to run an operator."""
    lacking = [target for target in targets if operator.name not in load_target(target)]
    if not lacking:
        return []
    known = [name for name in load_target(lacking[0]) if all(name in load_target(target) for target in lacking)]
    who = f"{' and '.join(lacking)} {'is' if len(lacking) == 1 else 'are'}"
    return [f"{_where(operator)}: not an operator that {who} known to run; known: {', '.join(known)}"]


def _too_new(operator: Operator, target: str) -> list[str]:
    newest = load_target(target).get(operator.name, operator.version)
    if operator.version <= newest:
        return []
    return [f"{_where(operator)}: version {operator.version}; {target} reads up to {newest}"]


def _where(operator: Operator) -> str:
    return f"layer {layer_name(operator)!r} (operator {operator.index}, {operator.name})"


def _wrong_ends(model: ModelFile) -> list[str]:
    found = []
    # A file of other origin with one head has nothing to select.
    for kind, allowed, tensors in (
        ("inputs", ({"image": "int8", "head": "int32"}, {"image": "int8"}), model.inputs),
        ("outputs", ({"logits": "int8"},), model.outputs),
    ):
        found_types = {name: tensor.dtype for name, tensor in tensors.items()}
        if found_types not in allowed:
            found.append(f"{kind} are {found_types}; expected {' or '.join(map(str, allowed))}")
    return found
