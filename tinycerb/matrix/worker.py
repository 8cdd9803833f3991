"""A process that computes cells one after the other: `python -m tinycerb.matrix.worker`.

It takes cells on standard input, one JSON object a line with `run` and `spec`, and tells its progress on standard
output likewise. It ends when its parent does.
"""

import contextlib
import json
import os
import queue
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from tinycerb.advice.diagnosis import IN_THE_LOG, diagnose
from tinycerb.bench.cell import CellSpec
from tinycerb.config.typed_tables import build
from tinycerb.datasets import load_dataset
from tinycerb.errors import ExitCode
from tinycerb.events import Progress
from tinycerb.plugins import load_handed_over
from tinycerb.run.directory import RunDirectory


def _read_cells(cells: "queue.SimpleQueue[dict[str, Any]]") -> None:
    with os.fdopen(os.dup(0)) as lines:
        for line in lines:
            cells.put(json.loads(line))
    # The parent is gone, however it died; a cell in progress is of no use to anybody.
    os._exit(ExitCode.INTERRUPTED)


def main() -> None:
    """Computes cells until its standard input closes."""
    events = os.fdopen(os.dup(1), "w", buffering=1)
    # Whatever libraries print belongs into the log, not between the events.
    os.dup2(2, 1)
    cells: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read_cells, args=(cells,), daemon=True).start()

    def tell(**event: object) -> None:
        events.write(json.dumps(event) + "\n")

    def on_progress(progress: Progress) -> None:
        tell(done=progress.done, total=progress.total, note=progress.note)

    from tinycerb.bench.stealing import run_cell
    from tinycerb.keras_models.legacy import keras

    while True:
        order = cells.get()
        started = time.monotonic()
        try:
            load_handed_over()
            run = RunDirectory.open(Path(order["run"]))
            run_cell(run, load_dataset(run.config.data), build(CellSpec, order["spec"], "spec"), on_progress)
            tell(finished=True, seconds=time.monotonic() - started)
        except Exception as error:
            problem = diagnose(error, IN_THE_LOG)
            # The log may lie on the very disk that is full.
            with contextlib.suppress(OSError):
                traceback.print_exc()
                sys.stderr.flush()
            tell(error=str(problem), exit_code=int(problem.exit_code))
        keras.backend.clear_session()


if __name__ == "__main__":
    main()
