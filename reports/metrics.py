"""What `metrics.json` holds, key by key: the one thing that passes from a run to its report.

`basis` says `measured` or `estimated`; units stand in the keys. What files of older
versions lack is `NotRequired`.
"""

from typing import NotRequired, TypedDict

Shape = list[int]


class ChannelGroup(TypedDict):
    """Convolutions that lose the same channels."""

    producers: list[str]
    channels: int
    kept: int


class Epoch(TypedDict):
    """A row of the training's history."""

    stage: str
    epoch: int
    cross_entropy: float
    defense_loss: float
    validation_accuracy: float
    validation_accuracy_worst_head: float
    kept_share: float


class PictureSource(TypedDict):
    """Pictures off the task that a victim was trained with, and how many of them were somebody else's, too."""

    source: str
    images: int
    distinct: int
    shared: int


class Training(TypedDict):
    """How a victim came to be."""

    basis: str
    zero_weight_share: float | None
    parameters: int
    parameters_dense: int
    float_accuracy_per_head: list[float]
    channel_groups: list[ChannelGroup]
    sources: NotRequired[list[PictureSource]]
    history: list[Epoch]


class Calibration(TypedDict):
    """The images that a file's scales come from."""

    in_distribution_images: int
    out_of_distribution_images: int
    class_histogram: list[int]


class OperatorRow(TypedDict):
    """One operator of a file."""

    operator: str
    version: int
    output_shape: Shape
    multiply_accumulates: int
    weight_bytes: int
    activation_bytes: int


class End(TypedDict):
    """An input or output of a file."""

    dtype: str
    shape: Shape
    scale: float | None
    zero_point: int | None


class ModelFacts(TypedDict):
    """A victim's `.tflite`."""

    basis: str
    flash_bytes: int
    sha256: str
    multiply_accumulates: int
    operators: list[OperatorRow]
    inputs: dict[str, End]
    outputs: dict[str, End]
    alphas: list[float]
    flash_share_of_baseline: float


class MeasuredAccuracy(TypedDict):
    """How well the int8 file does its task, shares of 1."""

    engine: dict[str, str]
    test_images: int
    accuracy_per_head: list[float]
    accuracy_expected: float
    accuracy_before_response: list[float]
    accuracy_worst_head: float
    accuracy_mean_head: float
    flip_rate: float
    head_agreement: list[list[float]]
    head_agreement_mean: float
    calibration_error: float
    confusion_expected: list[list[float]]


class Accuracy(MeasuredAccuracy):
    """The same with what it rests on."""

    basis: str


class LayerNoise(TypedDict):
    """What quantization does to one operator."""

    layer: str
    operator: str
    signal_to_noise_db: float
    added_noise_share: float


class Quantization(TypedDict):
    """What quantization costs."""

    basis: str
    method: str
    float_accuracy_expected: float
    accuracy_lost_points: float
    layers: list[LayerNoise] | None
    worst_layer: str | None


class CoherenceOn(TypedDict):
    """How alike heads answer to images of these families."""

    images: int
    families: list[str]
    cosine: float
    label_agreement: float


class Coherence(CoherenceOn):
    """On families of training, and on those that no head has seen."""

    basis: str
    held_out: CoherenceOn | None


class Memory(TypedDict):
    """What TensorFlow Lite Micro's interpreter allocates."""

    basis: str
    arena_bytes: int
    arena_nonpersistent_bytes: int
    arena_persistent_bytes: int
    compared_bytes: int
    differing_bytes: int
    engines: list[dict[str, str]]


class LatencyOf(TypedDict):
    """Of single invokes on the host, one thread."""

    latency_us_min: float
    latency_us_p50: float
    latency_us_p90: float
    invokes: int
    engine: dict[str, str]


class Latency(TypedDict):
    """With both sets of kernels."""

    basis: str
    optimised: LatencyOf
    reference: LatencyOf


class OptimisedKernels(TypedDict):
    """Where the optimised kernels differ from the reference ones."""

    basis: str
    engine: dict[str, str]
    images: int
    differing_byte_share: float
    largest_difference_lsb: int


class EstimatedCycles(TypedDict):
    """Cycles between the ends of their band, where `basis` is `estimated`; no numbers elsewhere."""

    basis: str
    cycles: NotRequired[int]
    cycles_low: NotRequired[int]
    cycles_high: NotRequired[int]


class DeviceCost(TypedDict, total=False):
    """What `tinycerb bench cost` measured of a victim; or why no device can run it."""

    basis: str
    board: str
    deployable: bool
    reason: str
    flash_bytes: int
    ram_bytes: int
    instructions_per_inference: int
    instructions_after_network: int
    estimated_cycles: EstimatedCycles


class CurvePoint(TypedDict):
    """A clone after an epoch."""

    epoch: int
    clone_accuracy: float


class Cell(TypedDict):
    """One attack on one victim, and the clone that came of it."""

    basis: str
    digest: str
    victim: str
    attack: str
    student: str
    learning_rate: float
    attacker_seed: int
    selection: str
    reference_row: bool
    output: str
    clone_accuracy: float
    clone_accuracy_oracle_best: float
    agreement_with_victim: float
    queries_charged: int
    curve: list[CurvePoint]


class Dose(TypedDict):
    """What a thief gets out of so many images of the victim's own kind, the mean over attacker seeds."""

    images: int
    clone_accuracy: float
    clone_accuracies: list[float]
    cells: list[str]


class Doses(TypedDict):
    """Clones by the number of own-kind images that the thief asks about; they are in no verdict."""

    basis: str
    student: str
    left_out: str
    victims: dict[str, list[Dose]]


class Separation(TypedDict):
    """How well the undefended network tells a pool from its task: areas under the ROC curve, 0.5 to 1."""

    images: int
    auroc_confidence: float
    auroc_features: float


class PoolSeparation(Separation):
    """The same of a pool that an attacker of the run has, and what it promises: `will`, `may` or `will not`."""

    pool: str
    verdict: str


class Budget(TypedDict):
    """What a victim may take on its device."""

    flash_bytes: int
    ram_bytes: int


class Candidate(TypedDict):
    """One of several trainings of a victim; both figures are of validation images."""

    training_seed: int
    validation_accuracy: float
    development_clone_accuracy: float


class Choice(TypedDict):
    """Which training was kept, and why."""

    keep: str
    keep_within: float
    query_pool: str
    training_seed: int
    candidates: list[Candidate]


class VictimMetrics(TypedDict):
    """All figures of one victim."""

    defense: str
    defense_options: dict[str, object]
    heads: int
    selection: str
    response: NotRequired[str]
    owner_key: NotRequired[str | None]
    choice: NotRequired[Choice]
    pruning: str
    budget: Budget | None
    channel_ratio: float
    training: Training
    calibration: Calibration | None
    file: ModelFacts
    accuracy: Accuracy
    quantization: Quantization
    coherence: Coherence | None
    memory: Memory | None
    latency: Latency
    device: NotRequired[DeviceCost | None]
    optimised_kernels: OptimisedKernels
    # Accuracy on own images by what was done to them, shares of 1; as they are, under "nothing".
    handling: NotRequired[dict[str, float]]
    cells: list[Cell]


class WorstCase(TypedDict):
    """The attacker's best clone of a victim."""

    attack: str
    student: str
    selection: str
    clone_accuracy: float
    clone_accuracy_oracle_best: float


class JudgedVictim(WorstCase):
    """The same beside the baseline's."""

    points_below_baseline: float


class JudgedAttack(TypedDict):
    """Whether an attack may support a claim."""

    attack: str
    baseline_clone_accuracy: float
    valid: bool


class Verdict(TypedDict):
    """What may be said of one threat class."""

    meaning: str
    bar: float
    attacks: list[JudgedAttack]
    victims: dict[str, JudgedVictim]
    conclusive: bool


class Model(TypedDict):
    """The network before anything was done to it."""

    backbone: str
    source: str
    sha256: str
    width: float
    head_units: int


class FamilyFacts(TypedDict):
    """Of one family."""

    asked: int
    agreed: int
    p0: float


class SecretFacts(TypedDict):
    """How the owner's teacher explains the answers, beside teachers of other keys."""

    teachers: int
    explained_share: float
    others_explained_share: float
    least_p: float


class VerificationFacts(TypedDict):
    """What a verification has found."""

    schema_version: int
    verdict: str
    reason: str
    suspect: str
    is_copy: bool
    model: str
    model_tensors_sha256: str
    owner_key_sha256: str
    commitment: str
    batch: int
    level: float
    p: float | None
    p_by_secret: float | None
    p_by_population: float
    population_by: str
    looks: int
    asked: int
    agreed: int
    refused: int
    strict_after: int | None
    null: str
    null_measured: bool
    secret: SecretFacts | None
    families: dict[str, FamilyFacts]


class Metrics(TypedDict):
    """The content of `metrics.json`."""

    schema_version: int
    name: str
    baseline: str
    model: Model
    # Environment, command and inputs, as the run recorded them.
    provenance: dict
    class_names: list[str]
    validity: float
    victims: dict[str, VictimMetrics]
    threats: dict[str, Verdict]
    doses: NotRequired[Doses]
    gates_missed: list[str]
    not_measured: list[str]
    # Of older runs, and of networks whose features cannot be read, there is none.
    separation: NotRequired[list[PoolSeparation]]
    verifications: NotRequired[list[VerificationFacts]]
