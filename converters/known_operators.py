"""Which operators the runtimes for microcontrollers know at all."""

import tomllib
from functools import cache
from importlib import resources

from tinycerb.converters.c_model.model import OPERATORS

TINYCERB_OPERATOR = "TinyCerbHeadSelect"


@cache
def tflm_methods() -> dict[str, str]:
    """Returns TFLite Micro's builtin operators, each with the resolver's method that registers it."""
    return _load("tflm_operators.toml")


@cache
def c_operators() -> frozenset[str]:
    """Returns the operators of TinyCerb's own C runtime: those that can be lowered to its kernels."""
    return frozenset(OPERATORS)


def _load(name: str) -> dict[str, str]:
    return tomllib.loads((resources.files("tinycerb.converters") / name).read_text())
