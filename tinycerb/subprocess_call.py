"""Calls a module of ours in a process of its own, and brings its answer or its error back.

What users bring along may import TensorFlow, print, or exit; none of that may reach a process that measures with
tflite-runtime, or standard output.
"""

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import Any

from tinycerb.advice.diagnosis import diagnose
from tinycerb.converters.child_process import die_with_parent
from tinycerb.errors import EnvironmentProblem, error_from_exit_code
from tinycerb.plugins import load_handed_over
from tinycerb.processes.variables import child_variables


def call_in_subprocess(module: str, *arguments: str, text: str = "") -> Any:
    """Runs `python -m module arguments` and returns what it answered with `answer`.

    Args:
        module: one that calls `answer`.
        arguments: its command line.
        text: its standard input.

    Raises:
        TinyCerbError: the one that was raised there.
        EnvironmentProblem: it died.
    """
    command = die_with_parent([sys.executable, "-m", module, *arguments])
    child = subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=child_variables())
    try:
        answered = json.loads(child.stdout)
    except ValueError:
        last = (child.stderr.strip().splitlines() or ["no message"])[-1]
        raise EnvironmentProblem(f"the process of {module} died with exit code {child.returncode}: {last}") from None
    if "error" in answered:
        if os.environ.get("TINYCERB_DEBUG"):
            sys.stderr.write(child.stderr)
        raise error_from_exit_code(answered["error"], answered["exit_code"])
    return answered["result"]


def answer(work: Callable[[], object]) -> None:
    """Tells the caller what `work` returns or which error it raises; whatever it prints goes to standard error."""
    with os.fdopen(os.dup(1), "w") as told:
        os.dup2(2, 1)
        try:
            load_handed_over()
            answered = {"result": work()}
        except Exception as error:
            traceback.print_exc()
            problem = diagnose(error)
            answered = {"error": str(problem), "exit_code": int(problem.exit_code)}
        json.dump(answered, told)
