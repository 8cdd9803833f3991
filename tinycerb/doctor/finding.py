"""What a check of the doctor's found, and how a check tries the real thing in a process of its own."""

import subprocess
import sys
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as find_version

from tinycerb.converters.child_process import die_with_parent
from tinycerb.processes.variables import child_variables

OK, WARN, FAIL = "OK", "WARN", "FAIL"


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        name: what was looked at.
        status: `OK`, `WARN` (some commands lack something) or `FAIL` (nothing will work).
        detail: what was found.
        remedy: the command that mends it, empty where nothing is to be mended.
    """

    name: str
    status: str
    detail: str
    remedy: str = ""


def version(package: str) -> str:
    """Returns a package's version, or `not installed`."""
    try:
        return find_version(package)
    except PackageNotFoundError:
        return "not installed"


def try_python(name: str, code: str, detail: str, bad: str, remedy: str) -> Finding:
    """Runs Python code that gets the path of a small int8 model; importing alone proves little."""
    with resources.as_file(resources.files("tinycerb.doctor") / "tiny.tflite") as model:
        return try_command(name, [sys.executable, "-c", code, str(model)], detail, bad, remedy)


def try_command(name: str, command: list[str], detail: str, bad: str, remedy: str) -> Finding:
    """Runs a command that must end with 0; otherwise its last line is the detail."""
    try:
        child = subprocess.run(
            die_with_parent(command),
            capture_output=True,
            text=True,
            errors="replace",
            env=child_variables(TF_CPP_MIN_LOG_LEVEL="3"),
            timeout=120,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(name, bad, str(error), remedy)
    if child.returncode == 0:
        return Finding(name, OK, detail)
    last_line = (child.stderr.strip().splitlines() or [f"exit code {child.returncode}"])[-1]
    return Finding(name, bad, last_line, remedy)
