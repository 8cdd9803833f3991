"""What `results.json` of a matrix holds, key by key."""

from typing import TypedDict

from tinycerb.reports.metrics import DeviceCost


class Interval(TypedDict):
    """A figure with the ends of its 95 % interval, and what the interval covers."""

    mean: float
    low: float
    high: float
    basis: str


class VictimCost(TypedDict):
    """What a victim does for its owner, and its cost; means over the seeds that it is measured on."""

    defense: str
    defense_options: dict[str, object]
    response: str
    channel_ratio: float
    seeds: list[int]
    accuracy_per_seed: list[float]
    accuracy: Interval | None
    utility_loss: Interval | None
    device: DeviceCost | None
    # None where no seed is measured yet.
    float_accuracy: float | None
    accuracy_worst_head: float | None
    flip_rate: float | None
    calibration_error: float | None
    flash_bytes: float | None
    arena_bytes: float | None
    heads: int | None
    selection: str | None


class CellRow(TypedDict):
    """A finished cell: who attacked whom, and how good the clone is."""

    basis: str
    digest: str
    victim: str
    attack: str
    threat: str
    budget: int
    student: str
    learning_rate: float
    selection: str
    mean_head: bool
    victim_seed: int
    attacker_seed: int
    clone_accuracy: float
    clone_accuracy_oracle_best: float | None
    queries_charged: int
    clone_parameters: int | None
    agreement_with_victim: float | None
    kl_to_victim: float | None
    l1_to_victim: float | None
    untrained_accuracy: float | None


class BudgetPoint(TypedDict):
    """The best clone of an attack at one budget."""

    budget: int
    queries_charged: int
    clone_accuracy: float


class AttackOnVictim(TypedDict):
    """An attack's best clones of a victim."""

    stolen_accuracy: Interval
    valid: bool
    budget_curve: list[BudgetPoint]
    area_over_log_calls: float | None


class BrokenBy(TypedDict):
    """The setting of an attacker."""

    attack: str
    budget: int
    student: str
    learning_rate: float
    selection: str


class VictimVerdict(TypedDict):
    """The attacker's maximum on a victim."""

    stolen_accuracy: Interval
    broken_by: BrokenBy
    broken_by_per_seed: dict[str, str]
    difference_to_baseline: Interval | None
    agreement_with_victim: float | None
    kl_to_victim: float | None
    l1_to_victim: float | None
    by_attack: dict[str, AttackOnVictim]
    conclusive: bool


class AttackVerdict(TypedDict):
    """Whether an attack may support a claim; None where it has no clone of the baseline."""

    attack: str
    baseline_clone_accuracy: float | None
    valid: bool


class ThreatVerdict(TypedDict):
    """What may be said of one threat class; None for a victim without cells."""

    meaning: str
    bar: float
    conclusive: bool
    attacks: list[AttackVerdict]
    victims: dict[str, VictimVerdict | None]


class ReferenceRow(TypedDict):
    """What a row is called, what it is, the owner's accuracy, and the best clone per threat class."""

    row: str
    what: str
    accuracy: float | None
    stolen: dict[str, float]


class LeftOut(TypedDict):
    """An attack at a budget that was not run, and why."""

    attack: str
    budget: int
    reason: str


class ScaledDown(TypedDict, total=False):
    """Sentences about attacks with a share of the calls that they were published with, where there are some."""

    scaled_down: list[str]


class Results(ScaledDown):
    """The content of `results.json`."""

    schema_version: int
    name: str
    baseline: str
    validity: float
    provenance: dict[str, object]
    victim_seeds: list[int]
    attacker_seeds: list[int]
    cells_in_all: int
    cells_done: int
    failures: list[str]
    skipped: list[LeftOut]
    victims: dict[str, VictimCost]
    threats: dict[str, ThreatVerdict]
    reference_rows: list[ReferenceRow]
    cells: list[CellRow]
