"""What runs on a Dask worker: a cell computed from what the scheduler holds, with no file of the run at hand."""

import atexit
import contextlib
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from tinycerb import __version__
from tinycerb.atomic import write_bytes
from tinycerb.bench.cell_inputs import with_teachers
from tinycerb.errors import EnvironmentProblem
from tinycerb.events import ignore
from tinycerb.matrix.parcels import Order, unpack, unpack_plugin
from tinycerb.plugins import load_plugin
from tinycerb.processes.temporary import process_folder
from tinycerb.processes.variables import own_process
from tinycerb.seal.versions import package_versions

_RESULTS_DEPEND_ON = ("tensorflow", "tf-keras", "numpy")
_FETCH_SECONDS = 120
_WITHOUT_KEY = (
    f"a key is not sent to {socket.gethostname()}: compute the cells of attacks that know it where it is, without "
    "--scheduler (--only attack=NAME)"
)
# One TensorFlow per process has one random state: a worker with several threads computes one cell at a time.
_one_cell_at_a_time = threading.Lock()
_folders: list[Path] = []
_until_the_end = contextlib.ExitStack()
atexit.register(_until_the_end.close)


def versions_here() -> dict[str, str]:
    """Returns the versions that must be the same on all machines of a matrix."""
    installed = package_versions()
    return {"tinycerb": __version__, **{name: installed[name] for name in _RESULTS_DEPEND_ON}}


class OtherVersions(EnvironmentProblem):
    """This worker is none for the cell; another one is."""


def introduce() -> dict[str, object]:
    """Tells who a worker is: its `host` and its `versions`."""
    return {"host": socket.gethostname(), "versions": versions_here()}


def differing_versions(found: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """Returns `numpy 1.25.0, not 1.26.4; ...`, empty where all are the same."""
    return "; ".join(
        f"{name} {found.get(name)}, not {version}" for name, version in wanted.items() if found.get(name) != version
    )


def compute_order(order: Order) -> dict[str, object]:
    """Computes a cell on a Dask worker.

    Returns:
        `content`, what its file holds, `seconds` and `host`.

    Raises:
        OtherVersions: other versions are installed here.
        EnvironmentProblem: the scheduler no longer holds what is needed, or a plugin is not the one that was sent.
        TinyCerbError: as `compute_cell`.
    """
    if differing := differing_versions(versions_here(), order.versions):
        raise OtherVersions(f"the worker on {socket.gethostname()} has {differing}: results would not compare")
    with _one_cell_at_a_time:
        own_process()
        from tinycerb.bench.stealing import compute_cell
        from tinycerb.keras_models.legacy import keras

        started = time.monotonic()
        folder = _folder()
        for name in (*order.parcels, *(plugin.parcel for plugin in order.plugins)):
            if not (folder / name).exists():
                write_bytes(folder / name, _fetch(name))
        for parcel in order.plugins:
            load_plugin(unpack_plugin(folder, parcel))
        key = Path(order.key_file) if order.key_file else None
        inputs = with_teachers(unpack(folder, order.parcels), order.spec, key, _WITHOUT_KEY)
        content = compute_cell(order.spec, inputs, folder / "answers", ignore)
        keras.backend.clear_session()
        return {"content": content, "seconds": time.monotonic() - started, "host": f"{socket.gethostname()}"}


def _folder() -> Path:
    """The worker's own, gone when it ends."""
    if not _folders:
        _folders.append(_until_the_end.enter_context(process_folder()))
    return _folders[0]


def _fetch(name: str) -> bytes:
    from distributed import Variable

    try:
        # In a task, which is no coroutine, it waits for the bytes themselves.
        return cast(bytes, Variable(name).get(timeout=_FETCH_SECONDS))
    except TimeoutError:
        raise EnvironmentProblem(
            f"the scheduler does not hold {name}: has another matrix with --scheduler ended?"
        ) from None
