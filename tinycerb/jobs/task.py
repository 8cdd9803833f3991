"""One piece of a run's work."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """One piece of work, done in a process of its own.

    Attributes:
        key: its name, such as `train/cerberos`.
        kind: `teacher`, `pretrain`, `search_ratio`, `train`, `candidate`, `choose`, `convert`, `measure`, `latency`,
            `steal` or `dose`.
        arguments: what the kind's step takes beside the run.
        after: keys of the tasks that must be done before.
        alone: whether nothing else may run meanwhile.
        cost: rough relative effort, for the order of starting and the estimate of what is left.
    """

    key: str
    kind: str
    arguments: tuple[str, ...]
    after: tuple[str, ...]
    cost: float
    alone: bool = False
