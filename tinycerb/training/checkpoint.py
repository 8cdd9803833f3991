"""One file per training: everything that an interrupted epoch loop needs to go on as if nothing had happened."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinycerb.errors import EnvironmentProblem
from tinycerb.seal.files import is_made, read_arrays, write_arrays

_PARTS = ("weights", "optimizer", "pruner", "average", "best")


@dataclass(frozen=True)
class Checkpoint:
    """The state after a finished epoch.

    Attributes:
        stage: name of the stage that the epoch belongs to.
        epochs_done: finished epochs of that stage.
        weights: the model's weights, in its own order.
        optimizer: the optimizer's variables, in its own order.
        pruner: the state of what prunes.
        history: one row per finished epoch of all stages.
        average: the state of the average of weights, empty where there is none.
        best: the weights of the stage's best epoch so far, empty where the last epoch counts.
    """

    stage: str
    epochs_done: int
    weights: list[np.ndarray]
    optimizer: list[np.ndarray]
    pruner: list[np.ndarray]
    history: list[dict[str, Any]]
    average: list[np.ndarray] = field(default_factory=list)
    best: list[np.ndarray] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Writes the checkpoint atomically."""
        facts = {"stage": self.stage, "epochs_done": self.epochs_done, "history": self.history}
        arrays = {"facts": np.frombuffer(json.dumps(facts).encode(), np.uint8)}
        for kind in _PARTS:
            arrays |= {f"{kind}_{index:04}": array for index, array in enumerate(getattr(self, kind))}
        write_arrays(path, arrays)

    @classmethod
    def load(cls, path: Path) -> "Checkpoint | None":
        """Reads a checkpoint, or returns None where there is none.

        Raises:
            EnvironmentProblem: the file is damaged.
        """
        if not is_made(path):
            return None
        arrays = read_arrays(path)
        try:
            facts: dict[str, Any] = json.loads(arrays["facts"].tobytes())
            parts: dict[str, Any] = {
                kind: [arrays[name] for name in sorted(arrays) if name.startswith(f"{kind}_")] for kind in _PARTS
            }
        except (ValueError, KeyError) as error:
            raise EnvironmentProblem(
                f"the checkpoint {path} is damaged ({error}); delete it to train this victim anew"
            ) from error
        return cls(**facts, **parts)
