"""`python -m tests.fault_injection.one_task RUN KEY`: what `tinycerb run --resume` does for one task."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tinycerb.errors import TinyCerbError
from tinycerb.jobs.plan import plan
from tinycerb.jobs.scheduler import run_tasks
from tinycerb.jobs.task import Task
from tinycerb.progress import make_display
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.care import mend


def _up_to(tasks: Sequence[Task], key: str) -> list[Task]:
    wanted = {key}
    for task in reversed(tasks):
        if task.key in wanted:
            wanted.update(task.after)
    return [task for task in tasks if task.key in wanted]


def main() -> None:
    """Does the task and those before it, each in a worker of its own, where they are not done."""
    path, key = sys.argv[1:]
    try:
        run = RunDirectory.open(Path(path))
        with run.locked():
            mend(run.path)
            run_tasks(run, _up_to(plan(run.config), key), 1, make_display(quiet=True))
    except TinyCerbError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
