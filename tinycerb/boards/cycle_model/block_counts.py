"""How often each block of code is executed in each part of an inference."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Block:
    """Counts of one block: executions, and those that were left by a jump."""

    executed: int = 0
    jumped: int = 0


# By address and bytes.
Blocks = dict[tuple[int, int], Block]


@dataclass
class Watch:
    """Takes blocks as they are executed, and sorts them by what the measuring image does meanwhile.

    Attributes:
        answer: where `tc_answer` begins.
        inference: where `tc_infer_profiled` begins.
        mark: where that begins which it calls behind every layer; what happens in there is not counted.
        link: tells where the function that has just been called returns to.
        answers: blocks of the last answer.
        layers: blocks of each layer of the inference, and behind the last one.
    """

    answer: int
    inference: int
    mark: int
    link: Callable[[], int]
    answers: Blocks = field(default_factory=dict)
    layers: list[Blocks] = field(default_factory=list)
    _into: Blocks | None = None
    _ends: int = -1
    _resumes: int = -1
    _last: Block | None = None
    _end: int = -1

    def __call__(self, address: int, size: int) -> None:
        """A block of code is about to be executed."""
        if self._last is not None and address != self._end:
            self._last.jumped += 1
        if address == self._ends:
            self._into, self._ends = None, -1
        elif address == self.mark:
            self._resumes, self._into = self.link(), None
            self.layers.append({})
        elif address == self._resumes:
            self._resumes, self._into = -1, self.layers[-1]
        elif address == self.answer:
            self.answers = self._into = {}
            self._ends = self.link()
        elif address == self.inference:
            self.layers = [{}]
            self._into, self._ends = self.layers[0], self.link()
        if self._into is None:
            self._last = None
            return
        self._end = address + size
        self._last = self._into.setdefault((address, size), Block())
        self._last.executed += 1
