"""The `tinycerb` command, also as `python -m tinycerb`."""

import os
import sys
import traceback

from tinycerb.advice.diagnosis import diagnose
from tinycerb.processes.variables import own_process


def main() -> None:
    """Runs the command; what fails before it can be imported is told as whatever fails in it."""
    own_process()
    try:
        from tinycerb.cli import main as command
    except (Exception, KeyboardInterrupt) as error:
        problem = diagnose(error)
        sys.stderr.write(f"error: {problem}\n")
        if os.environ.get("TINYCERB_DEBUG"):
            traceback.print_exc()
        sys.exit(problem.exit_code)
    command()


if __name__ == "__main__":
    main()
