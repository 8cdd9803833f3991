"""What the C runtime cannot run."""

from converters.model_file import Operator


class UnsupportedModelError(ValueError):
    """The file holds something that the C runtime has no kernel for; the message names the layer."""


def refuse(operator: Operator, reason: str) -> UnsupportedModelError:
    """Returns the error that names an operator and what is wrong with it."""
    name = operator.outputs[0].name[-60:] if operator.outputs else "no output"
    return UnsupportedModelError(f"layer {operator.index} ({operator.name}, output {name!r}): {reason}")
