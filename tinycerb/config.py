"""What a run does: TOML files become frozen dataclasses, and every wrong key or value is an error."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import tomli_w

from tinycerb.bounded.texts import parse_toml
from tinycerb.errors import UsageError
from tinycerb.presets.layers import apply_override, layers_of, merge
from tinycerb.sources import PUBLIC, USER, Sources
from tinycerb.typed import build


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise UsageError(message)


def _check_name(what: str, name: str) -> None:
    _check(
        re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name) is not None,
        f"{what} {name!r:.60}: use 1 to 40 of a-z, 0-9, '-' and '_', starting with a letter or digit",
    )


@dataclass(frozen=True)
class DataConfig:
    """The victim's data set.

    Attributes:
        name: a registered data set; `user` for the one that `source` names.
        source: a .npz file, a folder of images per class, or `package.module:load`.
        sha256: what the data must be; filled in when a run starts.
        train_images: training images to use, 0 for all that are left after validation.
        validation_images: training images held out for validation, 0 for a tenth.
        test_images: test images to use, 0 for all.
    """

    name: str = "fashion_mnist"
    source: str = ""
    sha256: str = ""
    train_images: int = 0
    validation_images: int = 5000
    test_images: int = 0

    def __post_init__(self) -> None:
        _check(not self.source or self.name == USER, f"data.source is for data.name = {USER!r}; it is {self.name!r}")
        for key, meaning in (("train_images", "all"), ("validation_images", "a tenth"), ("test_images", "all")):
            _check(getattr(self, key) >= 0, f"data.{key} is {getattr(self, key)}; allowed: 0 ({meaning}) or more")


@dataclass(frozen=True)
class ModelConfig:
    """The victims' network.

    Attributes:
        backbone: a registered backbone; `user` for the model that `source` names.
        source: `package.module:build`, or a saved tf_keras model (.h5, .keras).
        sha256: what the model must be; filled in when a run starts.
        width: multiplies every channel count of a registered backbone.
        head_units: units of a hidden layer in each head, 0 for none.
    """

    backbone: str = "demo_net"
    source: str = ""
    sha256: str = ""
    width: float = 1.0
    head_units: int = 0

    def __post_init__(self) -> None:
        _check(
            not self.source or self.backbone == USER,
            f"model.source is for model.backbone = {USER!r}; it is {self.backbone!r}",
        )
        _check(0 < self.width <= 8, f"model.width is {self.width}; allowed: above 0, at most 8")
        _check(0 <= self.head_units <= 1024, f"model.head_units is {self.head_units}; allowed: 0 (none) to 1024")


@dataclass(frozen=True)
class TrainingConfig:
    """How victims are trained; every victim of a run gets the same epochs.

    Attributes:
        batch_size: in-distribution images in a step.
        dense_epochs: epochs before pruning starts.
        pruning_epochs: epochs over which channels go, a few at a time.
        recovery_epochs: epochs of the cut network before quantization.
        quantization_epochs: epochs of quantization-aware training.
        learning_rate: peak of Adam's cosine over the epochs before quantization.
        quantization_learning_rate: peak of Adam's cosine over quantization-aware training.
    """

    batch_size: int = 128
    dense_epochs: int = 3
    pruning_epochs: int = 2
    recovery_epochs: int = 2
    quantization_epochs: int = 2
    learning_rate: float = 2e-3
    quantization_learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        for key in ("batch_size", "dense_epochs", "pruning_epochs", "recovery_epochs", "quantization_epochs"):
            _check(getattr(self, key) >= 1, f"training.{key} is {getattr(self, key)}; allowed: 1 or more")
        for key in ("learning_rate", "quantization_learning_rate"):
            _check(
                0 < getattr(self, key) < 1,
                f"training.{key} is {getattr(self, key)}; allowed: above 0, below 1",
            )


@dataclass(frozen=True)
class PruningConfig:
    """How channels are chosen; how many is each victim's `channel_ratio`.

    Attributes:
        criterion: a registered pruning criterion.
        schedule: a registered pruning schedule, run by TF-MOT.
        multiple: channels are kept in multiples of it: 4 for most cores, 8 for Helium.
        scale_penalty: L1 weight on batch-norm scales, for criteria that want one.
    """

    criterion: str = "l2_scale"
    schedule: str = "polynomial"
    multiple: int = 4
    scale_penalty: float = 1e-4

    def __post_init__(self) -> None:
        _check(1 <= self.multiple <= 64, f"pruning.multiple is {self.multiple}; allowed: 1 to 64")
        _check(0 <= self.scale_penalty <= 1, f"pruning.scale_penalty is {self.scale_penalty}; allowed: 0 to 1")


@dataclass(frozen=True)
class QuantizationConfig:
    """How the float model becomes int8.

    Attributes:
        method: `aware` trains with fake quantization and all losses; `post` measures ranges on calibration images.
        calibration_images: how many, for `post`.
        out_of_distribution_share: which share of them is procedural instead of training images.
    """

    method: str = "aware"
    calibration_images: int = 256
    out_of_distribution_share: float = 0.0

    def __post_init__(self) -> None:
        methods = ("aware", "post")
        _check(self.method in methods, f"quantization.method is {self.method!r}; allowed: {', '.join(methods)}")
        _check(
            1 <= self.calibration_images <= 10000,
            f"quantization.calibration_images is {self.calibration_images}; allowed: 1 to 10000",
        )
        _check(
            0 <= self.out_of_distribution_share < 1,
            f"quantization.out_of_distribution_share is {self.out_of_distribution_share}; allowed: 0 to below 1",
        )


@dataclass(frozen=True)
class OutOfDistributionConfig:
    """The defender's own procedural images, never the attacker's.

    Attributes:
        images: how many are generated.
        batch_size: how many join each training batch of a defence that uses them.
        families: registered procedural families, in equal shares.
    """

    images: int = 20000
    batch_size: int = 64
    families: tuple[str, ...] = ("silhouettes", "strokes", "spectral_noise", "patch_shuffle")

    def __post_init__(self) -> None:
        _check(len(self.families) > 0, "out_of_distribution.families is empty; name at least one")
        for key in ("images", "batch_size"):
            value = getattr(self, key)
            _check(value >= 1, f"out_of_distribution.{key} is {value}; allowed: 1 or more")


@dataclass(frozen=True)
class VictimConfig:
    """One model to train, convert and attack.

    Attributes:
        name: its name in tables and paths.
        defense: a registered defence.
        channel_ratio: share of the channels (or, with TF-MOT's own modes, of the weights) that pruning removes.
        pruning: a registered pruning method.
        flash_bytes: the int8 file must not have more; `channel_ratio` is then found, 0 for no budget.
        ram_bytes: TFLite Micro's arena must not take more; likewise.
        options: the defence's own settings.
        response: what is done to every posterior before it leaves the device, `NAME,option=value` as for
            `tinycerb convert --response`; `none` for nothing.
        minimum_accuracy: expected accuracy below which the run ends with exit 1, 0 for no gate.
        maximum_flash_share: file size, as a share of the baseline's, above which it does, 0 for no gate.
    """

    name: str
    defense: str = "none"
    channel_ratio: float = 0.0
    pruning: str = "channels"
    flash_bytes: int = 0
    ram_bytes: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    response: str = "none"
    minimum_accuracy: float = 0.0
    maximum_flash_share: float = 0.0

    def __post_init__(self) -> None:
        _check_name("victims.name", self.name)
        _check(
            0 <= self.channel_ratio <= 0.9,
            f"victims.{self.name}.channel_ratio is {self.channel_ratio}; allowed: 0 to 0.9",
        )
        for key in ("flash_bytes", "ram_bytes"):
            _check(
                getattr(self, key) >= 0,
                f"victims.{self.name}.{key} is {getattr(self, key)}; allowed: 0 (no budget) or more",
            )
        _check(
            not self.has_budget or self.pruning == "channels",
            f"victims.{self.name} has a budget in bytes and pruning = {self.pruning!r}, which saves none; "
            "allowed: 'channels'",
        )
        for key in ("minimum_accuracy", "maximum_flash_share"):
            value = getattr(self, key)
            _check(0 <= value <= 1, f"victims.{self.name}.{key} is {value}; allowed: 0 (no gate) to 1")

    @property
    def has_budget(self) -> bool:
        """Whether bytes decide how much is pruned."""
        return bool(self.flash_bytes or self.ram_bytes)

    @property
    def is_pruned(self) -> bool:
        """Whether anything may be taken away."""
        return self.channel_ratio > 0 or self.has_budget


@dataclass(frozen=True)
class AttackConfig:
    """One attack, run against every victim with each student.

    Attributes:
        name: its name in tables.
        attack: a registered attack.
        query_pool: a registered source of the attacker's images, or a .npz file, a folder of images (with a slash
            in it) or `package.module:load`; empty for what --query-pool will name.
        pool_copies: how many copies of each image of the pool the attacker makes, turned, stretched, shaded and
            textured; they are asked and charged like any other image.
        options: the attack's own settings.
        own_images: unlabelled images of the victim's own kind that the attacker has beside the pool (then T2).
        budget: images the attacker may ask, repeats counted; 0 for the whole pool once, copies included.
        output: what the victim answers with: `probs`, `top1` (the label alone) or `rounded` (to one decimal).
        students: registered clone networks, the best of which counts.
        epochs: the clone's epochs.
        batch_size: the clone's batch.
        learning_rates: peaks of the clone's Adam cosine; each is tried, the best clone counts.
        prior_correction: how far the clone's training takes out the class frequencies of the answers: 0 not at
            all, as KnockoffNets were published; 1 wholly, for an attacker who expects even classes in the task.
        members: networks that are trained on the same answers; the clone answers with their mean.
    """

    name: str
    attack: str = "knockoff"
    query_pool: str = "animal_mnist"
    pool_copies: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    own_images: int = 0
    budget: int = 0
    output: str = "probs"
    students: tuple[str, ...] = ("lenet", "batchnorm_cnn")
    epochs: int = 10
    batch_size: int = 64
    learning_rates: tuple[float, ...] = (2e-3,)
    prior_correction: float = 0.0
    members: int = 1

    def __post_init__(self) -> None:
        _check_name("attacks.name", self.name)
        where = f"attacks.{self.name}"
        _check(self.budget >= 0, f"{where}.budget is {self.budget}; allowed: 0 (the whole pool) or more")
        _check(0 <= self.pool_copies <= 100, f"{where}.pool_copies is {self.pool_copies}; allowed: 0 to 100")
        _check(self.own_images >= 0, f"{where}.own_images is {self.own_images}; allowed: 0 or more")
        outputs = ("probs", "top1", "rounded")
        _check(self.output in outputs, f"{where}.output is {self.output!r}; allowed: {', '.join(outputs)}")
        _check(len(self.students) > 0, f"{where}.students is empty; name at least one")
        for key in ("epochs", "batch_size", "members"):
            _check(getattr(self, key) >= 1, f"{where}.{key} is {getattr(self, key)}; allowed: 1 or more")
        _check(len(self.learning_rates) > 0, f"{where}.learning_rates is empty; name at least one")
        for rate in self.learning_rates:
            _check(0 < rate < 1, f"{where}.learning_rates has {rate}; allowed: above 0, below 1")
        _check(
            0 <= self.prior_correction <= 1,
            f"{where}.prior_correction is {self.prior_correction}; allowed: 0 to 1",
        )


@dataclass(frozen=True)
class BenchConfig:
    """How the artefacts are measured.

    Attributes:
        latency_rounds: rounds over all victims, interleaved; each round times five invokes of each.
        baseline: the victim that others are compared with.
        validity: an attack supports a claim only if its clone of the baseline reaches this share of the
            baseline's accuracy.
        victim_seeds: seeds that `tinycerb bench matrix` trains victims with, the configuration's own among them;
            empty for that one alone.
        attacker_seeds: seeds of the attackers, each attacks every victim; empty for one.
        budgets: in `tinycerb bench matrix` every attack is run with each of these budgets that it can use, in place
            of its own; empty for its own.
    """

    latency_rounds: int = 40
    baseline: str = "undefended"
    validity: float = 0.8
    victim_seeds: tuple[int, ...] = ()
    attacker_seeds: tuple[int, ...] = ()
    budgets: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _check(self.latency_rounds >= 1, f"bench.latency_rounds is {self.latency_rounds}; allowed: 1 or more")
        _check(0 <= self.validity <= 1, f"bench.validity is {self.validity}; allowed: 0 to 1")
        for key in ("victim_seeds", "attacker_seeds", "budgets"):
            values = getattr(self, key)
            _check(len(set(values)) == len(values), f"bench.{key} is {list(values)}; allowed: each number once")
            for value in values:
                _check(0 <= value < 2**31, f"bench.{key} has {value}; allowed: 0 to {2**31 - 1}")


@dataclass(frozen=True)
class Config:
    """Everything that determines a run.

    Attributes:
        name: the run's name.
        seed: seeds weights, batches, procedural images, head draws and attackers.
        victims: the models, compared side by side.
        attacks: the attacks, each run on every victim.
        recommended: the victim to deploy; empty to leave it to `recommended_victim`.
        owner: what a defence's random teachers come from: `public` (the seed alone, for experiments that others
            repeat), the hash of the owner key that the run was started with (64 hexadecimal digits), or empty: a key
            that is given or made when a run starts. A preset's `public` does not hold for data or models of a user's.
    """

    name: str
    victims: tuple[VictimConfig, ...]
    attacks: tuple[AttackConfig, ...]
    seed: int = 1
    recommended: str = ""
    owner: str = ""
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    pruning: PruningConfig = field(default_factory=PruningConfig)
    quantization: QuantizationConfig = field(default_factory=QuantizationConfig)
    out_of_distribution: OutOfDistributionConfig = field(default_factory=OutOfDistributionConfig)
    bench: BenchConfig = field(default_factory=BenchConfig)

    def __post_init__(self) -> None:
        _check_name("name", self.name)
        _check(0 <= self.seed < 2**31, f"seed is {self.seed}; allowed: 0 to {2**31 - 1}")
        _check(
            self.owner in ("", PUBLIC) or re.fullmatch(r"[0-9a-f]{64}", self.owner) is not None,
            f"owner is {self.owner!r}; allowed: {PUBLIC}, the hash of an owner key (64 hexadecimal digits), or empty",
        )
        _check(len(self.victims) > 0, "no [[victims]]; name at least one")
        for kind, entries in (("victims", self.victims), ("attacks", self.attacks)):
            names = [entry.name for entry in entries]
            for name in names:
                _check(names.count(name) == 1, f"{kind}: the name {name!r} is used {names.count(name)} times")
        names = [victim.name for victim in self.victims]
        _check(
            self.bench.baseline in names,
            f"bench.baseline is {self.bench.baseline!r}; allowed: {', '.join(names)}",
        )
        _check(
            self.recommended in ("", *names),
            f"recommended is {self.recommended!r}; allowed: {', '.join(names)}, or empty",
        )
        _check(
            not self.bench.victim_seeds or self.seed in self.bench.victim_seeds,
            f"bench.victim_seeds is {list(self.bench.victim_seeds)} without seed = {self.seed}; name it among them",
        )

    def victim(self, name: str) -> VictimConfig:
        """Returns a victim by its name."""
        return next(victim for victim in self.victims if victim.name == name)

    def attack(self, name: str) -> AttackConfig:
        """Returns an attack by its name."""
        return next(attack for attack in self.attacks if attack.name == name)

    def to_toml(self) -> str:
        """Returns the resolved configuration, every default spelled out."""
        return tomli_w.dumps(asdict(self))

    def digest(self) -> str:
        """Returns eight hexadecimal digits that name this configuration."""
        return hashlib.sha256(self.to_toml().encode()).hexdigest()[:8]


def load_config(source: str, overrides: Sequence[str] = (), sources: Sources | None = None) -> Config:
    """Loads a preset by name or a TOML file by path.

    Args:
        source: a preset's name, or a path that ends in `.toml`. A file may start from another one with
            `extends = "demo"`: its tables are merged over it, its arrays of tables replace whole arrays.
        overrides: `section.key=value`, the value in TOML syntax; bare words count as strings.
        sources: data, model and query pool in place of those named there. While an attack has no query pool there
            are no attacks: some rows of a table without the others would mislead.

    Raises:
        UsageError: unknown preset, key or value; the message names the nearest allowed one.
        EnvironmentProblem: the file cannot be read.
    """
    table: dict[str, Any] = {}
    for layer in layers_of(source):
        table = merge(table, layer.table)
    for override in overrides:
        apply_override(table, override)
    config = build(Config, (sources or Sources()).put_into(table), where="config")
    if USER in (config.data.name, config.model.backbone) and "owner" not in given_keys(source, overrides):
        config = replace(config, owner="")
    return config if all(attack.query_pool for attack in config.attacks) else replace(config, attacks=())


def given_keys(source: str, overrides: Sequence[str] = ()) -> frozenset[str]:
    """Returns what the user has set: `section.key` in files of their own and by --set, `attacks` for arrays of tables.

    Args:
        source: as for `load_config`; what a built-in preset says is not among them.
        overrides: likewise.
    """
    keys = {override.partition("=")[0] for override in overrides}
    for layer in layers_of(source):
        if layer.of_the_user:
            for section, value in layer.table.items():
                keys |= {f"{section}.{key}" for key in value} if isinstance(value, dict) else {section}
    return frozenset(keys)


def parse_config(text: str, where: str) -> Config:
    """Builds a configuration from TOML text; errors as `load_config`."""
    return build(Config, parse_toml(text, where), where=where)
