"""Computes cells on a Dask cluster. Everything passes the scheduler: no shared file system, no data between workers."""

import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tinycerb.advice.diagnosis import diagnose
from tinycerb.advice.install import install_command
from tinycerb.bench.cell import is_sound, keep_cell
from tinycerb.bench.parts_code import OtherCode
from tinycerb.errors import EnvironmentProblem, TinyCerbError, UsageError, error_from_exit_code
from tinycerb.matrix.cells import MatrixCell
from tinycerb.matrix.colleagues import Colleagues
from tinycerb.matrix.display import MatrixDisplay
from tinycerb.matrix.estimate import note_seconds
from tinycerb.matrix.parcels import Order, Packer
from tinycerb.matrix.remote import OtherVersions, compute_order, versions_here
from tinycerb.ownership.run_key import key_file
from tinycerb.plugins import loaded_plugins

_CONNECT_SECONDS = 10
_WORKER_SECONDS = 30
_LOOK_SECONDS = 5
_JOIN_SECONDS = 1
# Cells that each thread has at hand: the one it computes, and the next.
_PER_THREAD = 2
_MOST_REFUSALS = 5


@dataclass(frozen=True)
class _Flight:
    """A cell that is on the cluster, and the workers that may have it; none for all."""

    cell: MatrixCell
    only: frozenset[str]


class Cluster:
    """A client of a Dask scheduler."""

    def __init__(self, address: str) -> None:
        """Connects.

        Args:
            address: `tcp://host:port`.

        Raises:
            UsageError: that is no address.
            EnvironmentProblem: Dask is not installed, the scheduler does not answer, or it has no workers.
        """
        if not address.startswith(("tcp://", "tls://")):
            raise UsageError(f"--scheduler {address!r}: expected tcp://host:port, e.g. tcp://192.168.1.5:8786")
        try:
            from distributed import Client
        except ImportError as error:
            command = install_command("dask", "distributed")
            raise EnvironmentProblem(f"--scheduler needs Dask ({error}); install it with: {command}") from error
        self._address = address
        try:
            # Results come by way of the scheduler, too: workers need not be reachable from here.
            self._client = Client(address, timeout=_CONNECT_SECONDS, direct_to_workers=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise EnvironmentProblem(
                f"the scheduler {address} does not answer ({error}); start one there with: dask scheduler --port 8786"
            ) from error
        try:
            self._client.wait_for_workers(1, timeout=_WORKER_SECONDS)
        except TimeoutError:
            self.close()
            raise EnvironmentProblem(
                f"the scheduler {address} has no workers; start one for each core with: "
                f"dask worker {address} --nthreads 1"
            ) from None

    @property
    def workers(self) -> int:
        """How many workers there are now, at least 1."""
        return max(1, self._count_workers())

    def _count_workers(self) -> int:
        return len(self._client.scheduler_info(n_workers=-1)["workers"])

    def compute(self, cells: Sequence[MatrixCell], display: MatrixDisplay) -> list[TinyCerbError]:
        """Computes cells and writes them here; a cell whose worker dies is given to another one.

        Returns:
            One error per cell that failed.

        Raises:
            EnvironmentProblem: the scheduler went away, or no worker has the versions that are installed here.
        """
        from distributed import Variable

        packer, versions = Packer(), versions_here()
        plugins = packer.pack_plugins(loaded_plugins())
        orders = {
            cell.digest: Order(cell.spec, packer.pack(cell), versions, _key_file(cell), plugins) for cell in cells
        }
        held = [Variable(name, client=self._client) for name in packer.contents]
        try:
            for variable in held:
                variable.set(packer.contents[variable.name])
            colleagues = Colleagues(self._client, versions, display.say)

            def count() -> int:
                return self._count_workers() - len(colleagues.refused)

            with tell_without_workers(count, self._address, display.say):
                return self._hand_out(cells, orders, colleagues, display)
        finally:
            for variable in held:
                variable.delete()

    def _hand_out(
        self, cells: Sequence[MatrixCell], orders: Mapping[str, Order], colleagues: Colleagues, display: MatrixDisplay
    ) -> list[TinyCerbError]:
        """Keeps the workers that fit supplied, and no more: who comes later is asked before it gets its share."""
        waiting, flying = deque(cells), dict[Any, _Flight]()
        landed: queue.SimpleQueue[object] = queue.SimpleQueue()
        failures: list[TinyCerbError] = []
        refusals: Counter[str] = Counter()
        looked = -_LOOK_SECONDS
        while waiting or flying:
            if time.monotonic() - looked >= _LOOK_SECONDS:
                colleagues.look()
                self._call_back(flying, waiting, colleagues)
                looked = time.monotonic()
            # Where there is nobody at all, Dask waits for whoever comes first.
            room = _PER_THREAD * sum(colleagues.fit.values()) or int(not colleagues.refused)
            while waiting and len(flying) < room:
                cell = waiting.popleft()
                # Nobody else may have it as long as there are some that must not.
                only = frozenset(colleagues.fit) if colleagues.refused else frozenset()
                future = self._client.submit(
                    compute_order, orders[cell.digest], workers=sorted(only) or None, key=f"tinycerb-cell-{uuid4().hex}"
                )
                flying[future] = _Flight(cell, only)
                future.add_done_callback(landed.put)
            try:
                future = landed.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                continue
            # One that was called back has no flight any more.
            flight = flying.pop(future, None)
            if flight is None:
                continue
            if _wrong_worker(future) and refusals[flight.cell.digest] < _MOST_REFUSALS:
                refusals[flight.cell.digest] += 1
                waiting.appendleft(flight.cell)
                looked = -_LOOK_SECONDS
                continue
            failures += self._receive(flight.cell, future, display)
        return failures

    def _call_back(self, flying: dict[Any, "_Flight"], waiting: deque[MatrixCell], colleagues: Colleagues) -> None:
        """Takes back the cells of workers that are gone, which nobody else was allowed to compute."""
        for future, flight in list(flying.items()):
            if flight.only and colleagues.fit and not flight.only.intersection(colleagues.fit):
                del flying[future]
                future.cancel()
                waiting.appendleft(flight.cell)

    def _receive(self, cell: MatrixCell, future: Any, display: MatrixDisplay) -> list[TinyCerbError]:
        if future.status == "finished":
            found = future.result()
            # The scheduler need not keep it any longer.
            future.release()
            if is_sound(found["content"], cell.digest):
                keep_cell(cell.run, cell.spec, found["content"])
                note_seconds(cell, found["seconds"])
                display.finish(cell, found["content"]["result"], found["seconds"])
                return []
            problem: TinyCerbError = EnvironmentProblem(f"{cell.key}: came back damaged from {found['host']}")
        elif future.status == "error":
            found = diagnose(future.exception(), "where, stands in the worker's log")
            problem = error_from_exit_code(f"{cell.key}: {found}", found.exit_code)
        else:
            raise EnvironmentProblem(
                f"the scheduler {self._address} went away; finished cells are kept, go on with --resume"
            )
        display.say(f"failed: {problem}")
        return [problem]

    def close(self) -> None:
        """Disconnects; unfinished work is given up."""
        self._client.close()


def _key_file(cell: MatrixCell) -> str:
    return str(key_file(cell.run) or "") if cell.spec.owner else ""


def _wrong_worker(future: Any) -> bool:
    """Whether a cell came back because the worker is none for it: it has other versions or code, or no TinyCerb."""
    return future.status == "error" and isinstance(future.exception(), OtherVersions | OtherCode | ImportError)


@contextmanager
def tell_without_workers(
    count: Callable[[], int], address: str, say: Callable[[str], None], every: float = _LOOK_SECONDS
) -> Iterator[None]:
    """Says when the last worker goes, and when one is there again: Dask itself waits in silence.

    Args:
        count: returns how many workers there are now; what it raises is left to whoever waits for results.
        address: of the scheduler.
        say: takes a sentence; called from another thread.
        every: seconds between two looks.
    """
    ended = threading.Event()

    def look() -> None:
        were_there = True
        while not ended.wait(every):
            try:
                are_there = count() > 0
            except Exception:
                return
            if ended.is_set():
                return
            if were_there and not are_there:
                say(
                    f"the scheduler {address} has no workers any more; cells wait until one is there: "
                    f"dask worker {address} --nthreads 1"
                )
            elif are_there and not were_there:
                say("workers are there again")
            were_there = are_there

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        # No longer than that: it may be asking a scheduler that does not answer.
        thread.join(_JOIN_SECONDS)
