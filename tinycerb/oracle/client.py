"""The sealed black box: an attack sends images and gets answers, and every image is counted.

The victim lives in a child process that never imports TensorFlow. Nothing but arrays passes the pipe: no model,
no logits, no gradients, no labels.
"""

import json
import subprocess
import sys
from dataclasses import asdict
from types import TracebackType
from typing import BinaryIO, cast

import numpy as np

from tinycerb.converters.child_process import die_with_parent
from tinycerb.errors import EnvironmentProblem, ExitCode, InternalError, TinyCerbError
from tinycerb.events import OnProgress, Progress, ignore
from tinycerb.oracle.array_pipe import receive_array, send_array
from tinycerb.oracle.protocol import OracleSpec
from tinycerb.processes.variables import child_variables

_IMAGES_PER_FRAME = 250


_POWER_CYCLE = np.array(0)


# What the child says in words is no accident: asked again, it would say the same.
_REFUSALS = (ExitCode.USAGE, ExitCode.ENVIRONMENT)


class SealedOracle:
    """The client of the child process; use it in a `with` block.

    A child that dies, of a full memory for instance, is started once more and asked everything again: its draws and
    its count then stand where they stood, and every image is charged once.
    """

    def __init__(self, spec: OracleSpec, on_progress: OnProgress = ignore) -> None:
        """Starts the child.

        Args:
            spec: what stands behind it.
            on_progress: takes progress events of long queries.

        Raises:
            EnvironmentProblem: the child did not come up; the message holds what it said.
        """
        self._on_progress = on_progress
        self._charged = 0
        self._engine: dict[str, str] = {}
        self._sent: list[np.ndarray] = []
        self._restarted = False
        self._command = [sys.executable, "-m", "tinycerb.oracle.server", json.dumps(asdict(spec))]
        self._child = self._start()

    @property
    def charged(self) -> int:
        """Images asked so far, repeats included; counted by the child."""
        return self._charged

    @property
    def engine(self) -> dict[str, str]:
        """Which runtime answers, with which version and kernels; for the record, not for attacks.

        Raises:
            EnvironmentProblem: the child did not come up.
        """
        self._read_greeting()
        return self._engine

    def query(self, images: np.ndarray) -> np.ndarray:
        """Asks about images; see `Oracle.query`.

        Raises:
            EnvironmentProblem: the child refused, or died twice; the message holds what it said.
            InternalError: a fault of ours in the child.
        """
        answers = []
        for start in range(0, len(images), _IMAGES_PER_FRAME):
            answers.append(self._ask(images[start : start + _IMAGES_PER_FRAME]))
            self._on_progress(Progress(start + len(answers[-1]), len(images), f"{self._charged:,} images asked"))
        return np.concatenate(answers)

    def reset(self) -> None:
        """Switches the device off and on; see `Oracle.reset`."""
        self._ask(_POWER_CYCLE)

    def _ask(self, frame: np.ndarray) -> np.ndarray:
        try:
            answer = self._exchange(frame)
        except EnvironmentProblem:
            if self._restarted or self._child.returncode in _REFUSALS:
                raise
            self._restarted, self._engine = True, {}
            self._child = self._start()
            for earlier in self._sent:
                self._exchange(earlier)
            answer = self._exchange(frame)
        self._sent.append(frame)
        return answer

    def _exchange(self, frame: np.ndarray) -> np.ndarray:
        self._read_greeting()
        try:
            send_array(cast(BinaryIO, self._child.stdin), frame)
        except OSError as error:
            raise self._silence() from error
        if not frame.ndim:
            return self._receive()
        self._charged = int(self._receive())
        return self._receive()

    def _read_greeting(self) -> None:
        """It comes before all answers, once per child."""
        if not self._engine:
            self._engine = json.loads(self._receive().tobytes())

    def _receive(self) -> np.ndarray:
        try:
            return receive_array(cast(BinaryIO, self._child.stdout))
        except (OSError, EOFError, ValueError) as error:
            raise self._silence() from error

    def _start(self) -> subprocess.Popen[bytes]:
        command = die_with_parent(self._command)
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=child_variables())

    def _silence(self) -> TinyCerbError:
        told = f"the oracle stopped answering: {self._last_words()}"
        return InternalError(told) if self._child.returncode == ExitCode.INTERNAL else EnvironmentProblem(told)

    def _last_words(self) -> str:
        try:
            _, stderr = self._child.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            _, stderr = self._child.communicate()
        lines = stderr.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self._child.returncode}"

    def __enter__(self) -> "SealedOracle":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Ends the child."""
        self._child.kill()
        self._child.communicate()
