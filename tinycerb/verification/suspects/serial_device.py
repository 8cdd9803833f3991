"""A device that runs the firmware, asked over its serial line as slowly as its limit wants."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from tinycerb.boards.board import Board
from tinycerb.boards.device import Device, QueryLimitReached
from tinycerb.boards.line import open_device
from tinycerb.errors import UsageError
from tinycerb.ownership.questions import Questions
from tinycerb.runtimes.model_artifact import ModelArtifact
from tinycerb.verification.suspects.suspect import Tell, other_classes


@dataclass
class SerialDevice:
    """A device on a line.

    Attributes:
        told: what it is.
        device: the open line.
        model: the model that it is compared with: images are brought into its input's codes.
        tell: says in one line what takes long.
        hash: SHA-256 of the model that it says it runs.
        sleep: waits for so many seconds.
    """

    told: str
    device: Device
    model: ModelArtifact
    tell: Tell
    hash: str
    sleep: Callable[[float], None] = time.sleep
    _told_seconds: float = field(default=0.0, init=False)

    def labels(self, questions: Questions) -> np.ndarray:
        """See `Suspect.labels`."""
        codes = self.model.quantize(questions.images)
        return np.array([self._label(code, len(codes) - done) for done, code in enumerate(codes)], np.int64)

    def _label(self, image: np.ndarray, left: int) -> int:
        while True:
            try:
                return int(self.device.ask(image, self.model.classes).argmax())
            except QueryLimitReached as limited:
                # A device that counts in whole seconds says 0 for less than one.
                wait = max(limited.seconds, 1)
                if wait > 2 * self._told_seconds:
                    self._told_seconds = wait
                    self.tell(
                        f"{self.told} limits questions: it answers again in {wait:,} seconds; the {left:,} that are "
                        f"left take up to {duration(wait * left)}"
                    )
                self.sleep(wait)


@contextmanager
def open_serial_device(
    port: str, board: Board, limit: float, model: ModelArtifact, tell: Tell
) -> Iterator[SerialDevice]:
    """Opens the line and asks who is there.

    Args:
        port: the serial port.
        board: how the line is set.
        limit: seconds that the board may be silent.
        model: the model that it is compared with.
        tell: says in one line what takes long.

    Raises:
        HardwareError: nobody answers.
        UsageError: it runs a model of another shape or task.
    """
    with open_device(port, board, limit) as device:
        greeting = device.hello()
        if greeting.input_bytes != int(np.prod(model.image_shape)):
            raise UsageError(
                f"the device at {port} takes images of {greeting.input_bytes:,} bytes, the model of "
                f"{'x'.join(map(str, model.image_shape))}"
            )
        if greeting.output_bytes % model.classes:
            raise UsageError(other_classes(f"the device at {port}", greeting.output_bytes, model.classes))
        yield SerialDevice(f"the device at {port}", device, model, tell, greeting.hash.hex())


def duration(seconds: float) -> str:
    """Returns a time as people say it."""
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
