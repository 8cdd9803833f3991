"""What the C runtime cannot run."""

from tinycerb.converters.model_file import Operator, Tensor


class UnsupportedModelError(ValueError):
    """The file holds something that the C runtime has no kernel for, or that contradicts itself; names the layer."""


def refuse(operator: Operator, reason: str) -> UnsupportedModelError:
    """Returns the error that names an operator and what is wrong with it."""
    name = operator.outputs[0].name[-60:] if operator.outputs else "no output"
    return UnsupportedModelError(f"layer {operator.index} ({operator.name}, output {name!r}): {reason}")


def refuse_tensor(operator: Operator | None, tensor: Tensor, reason: str) -> UnsupportedModelError:
    """Returns the error that names a tensor, what is wrong with it, and the operator that uses it, if one does."""
    told = f"tensor {tensor.index} ({tensor.name[-60:]!r}) {reason}"
    return UnsupportedModelError(told) if operator is None else refuse(operator, told)
