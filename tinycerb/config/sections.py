"""The sections of a configuration that all victims and attacks share."""

from dataclasses import dataclass

from tinycerb.config.checks import check
from tinycerb.config.user_sources import USER


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
        check(not self.source or self.name == USER, f"data.source is for data.name = {USER!r}; it is {self.name!r}")
        for key, meaning in (("train_images", "all"), ("validation_images", "a tenth"), ("test_images", "all")):
            check(getattr(self, key) >= 0, f"data.{key} is {getattr(self, key)}; allowed: 0 ({meaning}) or more")


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
        check(
            not self.source or self.backbone == USER,
            f"model.source is for model.backbone = {USER!r}; it is {self.backbone!r}",
        )
        check(0 < self.width <= 8, f"model.width is {self.width}; allowed: above 0, at most 8")
        check(0 <= self.head_units <= 1024, f"model.head_units is {self.head_units}; allowed: 0 (none) to 1024")


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
            check(getattr(self, key) >= 1, f"training.{key} is {getattr(self, key)}; allowed: 1 or more")
        for key in ("learning_rate", "quantization_learning_rate"):
            check(
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
        check(1 <= self.multiple <= 64, f"pruning.multiple is {self.multiple}; allowed: 1 to 64")
        check(0 <= self.scale_penalty <= 1, f"pruning.scale_penalty is {self.scale_penalty}; allowed: 0 to 1")


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
        check(self.method in methods, f"quantization.method is {self.method!r}; allowed: {', '.join(methods)}")
        check(
            1 <= self.calibration_images <= 10000,
            f"quantization.calibration_images is {self.calibration_images}; allowed: 1 to 10000",
        )
        check(
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
        check(len(self.families) > 0, "out_of_distribution.families is empty; name at least one")
        for key in ("images", "batch_size"):
            value = getattr(self, key)
            check(value >= 1, f"out_of_distribution.{key} is {value}; allowed: 1 or more")


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
        check(self.latency_rounds >= 1, f"bench.latency_rounds is {self.latency_rounds}; allowed: 1 or more")
        check(0 <= self.validity <= 1, f"bench.validity is {self.validity}; allowed: 0 to 1")
        for key in ("victim_seeds", "attacker_seeds", "budgets"):
            values = getattr(self, key)
            check(len(set(values)) == len(values), f"bench.{key} is {list(values)}; allowed: each number once")
            for value in values:
                check(0 <= value < 2**31, f"bench.{key} has {value}; allowed: 0 to {2**31 - 1}")
