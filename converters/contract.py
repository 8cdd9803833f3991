"""What a converted file must keep to: integers only, operators that the runtime reads, one output found by name."""

import tomllib
from importlib import resources

from converters.model_file import ModelFile

_FLOATS = ("float16", "float32", "float64", "bfloat16")


def load_target(name: str) -> dict[str, int]:
    """Returns a runtime's table from operator name to its highest readable version.

    Raises:
        KeyError: unknown runtime.
    """
    text = (resources.files("converters") / "targets.toml").read_text()
    return tomllib.loads(text)[name]


def contract_violations(model: ModelFile, target: str = "tflite-runtime-2-14") -> list[str]:
    """Checks a file against the contract.

    Returns:
        One sentence per violation, each naming its operator or tensor; empty for a sound file.
    """
    ceilings = load_target(target)
    found = []
    for operator in model.operators:
        where = f"operator {operator.index} ({operator.name}, output {operator.outputs[0].name[-40:]!r})"
        if operator.name not in ceilings:
            found.append(f"{where}: not an operator that {target} is known to run; known: {', '.join(ceilings)}")
        elif operator.version > ceilings[operator.name]:
            found.append(f"{where}: version {operator.version}; {target} reads up to {ceilings[operator.name]}")
        found += [
            f"{where}: works on {tensor.dtype} (tensor {tensor.index}); only integers are allowed"
            for tensor in (*operator.inputs, *operator.outputs)
            if tensor.dtype in _FLOATS
        ]
    for kind, wanted, tensors in (
        ("inputs", {"image": "int8", "head": "int32"}, model.inputs),
        ("outputs", {"logits": "int8"}, model.outputs),
    ):
        found_types = {name: tensor.dtype for name, tensor in tensors.items()}
        if found_types != wanted:
            found.append(f"{kind} are {found_types}; expected {wanted}")
    return found
