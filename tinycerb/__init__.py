"""TinyCerb: make small neural networks on microcontrollers hard to steal, and prove it.

    run = tinycerb.train("demo", out="runs/demo")
    tinycerb.convert(run)
    print(tinycerb.evaluate(run).verdict)
    model = tinycerb.open(run)
    model.predict(images).labels

Each function is loaded when it is asked for; importing the package loads neither TensorFlow nor a runtime.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinycerb.api.attack import attack
    from tinycerb.api.convert import convert
    from tinycerb.api.evaluate import evaluate
    from tinycerb.api.load_plugin import load_plugin
    from tinycerb.api.open import open
    from tinycerb.api.report import report
    from tinycerb.api.train import train

__version__ = "0.1.0"

__all__ = ["__version__", "attack", "convert", "evaluate", "load_plugin", "open", "report", "train"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has: {', '.join(__all__[1:])}")
    found = globals()[name] = getattr(import_module(f"{__name__}.api.{name}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
