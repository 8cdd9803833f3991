"""A conversion in a process of its own, for callers that must not load TensorFlow.

`python -m tinycerb.workflow.convert_child`; standard input holds `source`, `out`, `options`, `jobs`, `quiet`, as JSON.
"""

import json
import sys
from os import fspath
from pathlib import Path

from tinycerb.conversion.options import ConversionOptions
from tinycerb.subprocess_call import answer
from tinycerb.workflow.convert import convert_source


def main() -> list[str]:
    """Returns the paths of the files that were made."""
    order = json.load(sys.stdin)
    options = order["options"]
    for key in ("targets", "class_names"):
        options[key] = tuple(options[key])
    out = None if order["out"] is None else Path(order["out"])
    made = convert_source(Path(order["source"]), out, ConversionOptions(**options), order["jobs"], order["quiet"])
    return [fspath(path) for path in made]


if __name__ == "__main__":
    answer(main)
