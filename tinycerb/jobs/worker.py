"""The process that does one task: `python -m tinycerb.jobs.worker RUN KEY`.

It tells its progress on standard output, one JSON object a line, and ends when its parent does.
"""

import contextlib
import json
import os
import sys
import threading
import traceback
from pathlib import Path

from tinycerb.advice.diagnosis import IN_THE_LOG, diagnose
from tinycerb.errors import ExitCode
from tinycerb.events import Progress
from tinycerb.jobs.plan import plan
from tinycerb.jobs.steps import do
from tinycerb.plugins import load_handed_over
from tinycerb.run.directory import RunDirectory


def _end_with_parent() -> None:
    """Waits for the parent's end of the pipe to close, however the parent dies."""
    while os.read(0, 4096):
        pass
    os._exit(ExitCode.INTERRUPTED)


def _log_traceback() -> None:
    # The log may lie on the very disk that is full.
    with contextlib.suppress(OSError):
        traceback.print_exc()
        sys.stderr.flush()


def main() -> None:
    """Does the task; exits with the code of the error that stopped it."""
    events = os.fdopen(os.dup(1), "w", buffering=1)
    # Whatever libraries print belongs into the log, not between the events.
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def tell(**event: object) -> None:
        events.write(json.dumps(event) + "\n")

    def on_progress(progress: Progress) -> None:
        tell(done=progress.done, total=progress.total, note=progress.note)

    path, key = sys.argv[1:]
    try:
        load_handed_over()
        run = RunDirectory.open(Path(path))
        task = next(task for task in plan(run.config) if task.key == key)
        do(run, task, on_progress)
    except Exception as error:
        problem = diagnose(error, IN_THE_LOG)
        tell(error=str(problem), exit_code=int(problem.exit_code))
        _log_traceback()
        sys.exit(problem.exit_code)


if __name__ == "__main__":
    main()
