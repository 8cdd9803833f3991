"""Answers that were asked for once are kept on disk: attacks that ask the same questions share them."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import TracebackType

import numpy as np

from tinycerb.atomic import locked_beside
from tinycerb.datasets.images import digest_arrays
from tinycerb.errors import EnvironmentProblem
from tinycerb.oracle import OracleSpec, SealedOracle
from tinycerb.seal.files import Damaged, move_aside, read_arrays, write_arrays

# Fewer are quicker asked again than read from a file of their own.
_FEWEST_KEPT = 8


class RememberedOracle:
    """An oracle that answers from earlier transcripts as long as the questions are the same, in the same order.

    Every image is charged, remembered or not; power cycles are part of the questions. At the first new question the
    real oracle is opened and asked all earlier ones again, so that its head draws stand where they would have stood.
    """

    def __init__(
        self, spec: OracleSpec, model_sha256: str, folder: Path, open_oracle: Callable[[], SealedOracle], code: str = ""
    ) -> None:
        """Prepares an oracle; nothing is started yet.

        Args:
            spec: what stands behind it.
            model_sha256: digest of the file that `spec` names.
            folder: where transcripts are kept.
            open_oracle: starts the real one.
            code: digest of the code that answers, "" where nobody has noted it.
        """
        facts = {**asdict(spec), "model": model_sha256, **({"code": code} if code else {})}
        self._state = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        self._folder = folder
        self._open = open_oracle
        self._live: SealedOracle | None = None
        # None for a power cycle.
        self._asked: list[np.ndarray | None] = []
        self._engine: dict[str, str] = {}

    @property
    def charged(self) -> int:
        """Images asked so far, repeats included."""
        return sum(len(images) for images in self._asked if images is not None)

    @property
    def engine(self) -> dict[str, str]:
        """Which runtime gave the latest answer, now or when it was remembered."""
        return self._engine

    def query(self, images: np.ndarray) -> np.ndarray:
        """Asks about images; see `Oracle.query`."""
        self._advance(digest_arrays(images))
        path = self._folder / f"{self._state[:24]}.npz"
        if len(images) < _FEWEST_KEPT:
            answers, self._engine = self._ask(images)
        else:
            answers = self._kept(path, images)
        self._asked.append(images)
        return answers

    def reset(self) -> None:
        """Switches the device off and on; see `Oracle.reset`."""
        self._advance("power cycle")
        self._asked.append(None)
        if self._live is not None:
            self._live.reset()

    def _advance(self, event: str) -> None:
        self._state = hashlib.sha256(f"{self._state}{event}".encode()).hexdigest()

    def _kept(self, path: Path, images: np.ndarray) -> np.ndarray:
        answers = self._remembered(path)
        if answers is None:
            # Whoever asks the same at the same time waits, and finds the answers.
            with locked_beside(path):
                answers = self._remembered(path)
                if answers is None:
                    answers, self._engine = self._ask(images)
                    write_arrays(path, {"answers": answers, "engine": np.array(json.dumps(self._engine))})
        return answers

    def _remembered(self, path: Path) -> np.ndarray | None:
        if self._live is not None or not path.exists():
            return None
        try:
            arrays = read_arrays(path)
            answers, engine = arrays["answers"], json.loads(str(arrays["engine"]))
        except Damaged:
            return None
        except (EnvironmentProblem, ValueError, KeyError):
            # Of a run without a seal.
            move_aside(path)
            return None
        self._engine = engine
        return answers

    def _ask(self, images: np.ndarray) -> tuple[np.ndarray, dict[str, str]]:
        if self._live is None:
            self._live = self._open()
            for earlier in self._asked:
                if earlier is None:
                    self._live.reset()
                else:
                    self._live.query(earlier)
        return self._live.query(images), self._live.engine

    def __enter__(self) -> "RememberedOracle":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Ends the real oracle, if it was started."""
        if self._live is not None:
            self._live.__exit__(kind, error, traceback)
