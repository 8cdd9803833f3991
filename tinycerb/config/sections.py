"""The sections of a configuration that all victims and attacks share."""

from dataclasses import dataclass

from tinycerb.config.checks import check
from tinycerb.config.user_sources import USER
from tinycerb.options import check_options, option

_MOST_SEED = 2**31 - 1
_FILLED_IN = "filled in when a run starts"


@dataclass(frozen=True)
class DataConfig:
    """The victim's data set."""

    name: str = option("fashion_mnist", f"a data set, `{USER}` for the one that `source` names", listed="datasets")
    source: str = option("", "a .npz file, a folder of images per class, or `package.module:load`", empty="none")
    sha256: str = option("", "what the data must be", empty=_FILLED_IN)
    groups: str = option(
        "",
        "for a folder: a regular expression that finds in each file's path below it, CLASS/NAME, what belongs "
        "together, such as a track, a speaker or a burst: its part in parentheses, or all of it",
        empty="none",
    )
    train_images: int = option(0, "training images to use", 0, zero="all")
    validation_images: int = option(5000, "training images held out for validation", 0, zero="a tenth")
    test_images: int = option(0, "test images to use", 0, zero="all")

    def __post_init__(self) -> None:
        check(not self.source or self.name == USER, f"data.source is for data.name = {USER!r}; it is {self.name!r}")
        check(not self.groups or self.name == USER, f"data.groups is for data.name = {USER!r}; it is {self.name!r}")
        check_options(self, "data")


@dataclass(frozen=True)
class ModelConfig:
    """The victims' network."""

    backbone: str = option("demo_net", f"a backbone, `{USER}` for the model that `source` names", listed="backbones")
    source: str = option("", "`package.module:build`, or a saved tf_keras model (.h5, .keras)", empty="none")
    sha256: str = option("", "what the model must be", empty=_FILLED_IN)
    width: float = option(1.0, "multiplies every channel count of a registered backbone", above=0, high=8)
    head_units: int = option(0, "units of a hidden layer in each head", 0, 1024, zero="none")

    def __post_init__(self) -> None:
        check(
            not self.source or self.backbone == USER,
            f"model.source is for model.backbone = {USER!r}; it is {self.backbone!r}",
        )
        check_options(self, "model")


@dataclass(frozen=True)
class TrainingConfig:
    """How victims are trained; every victim of a run gets the same epochs."""

    batch_size: int = option(128, "in-distribution images in a step", 1)
    dense_epochs: int = option(3, "epochs before pruning starts", 1)
    pruning_epochs: int = option(2, "epochs over which channels go, a few at a time", 1)
    recovery_epochs: int = option(2, "epochs of the cut network before quantization", 1)
    quantization_epochs: int = option(2, "epochs of quantization-aware training", 1)
    learning_rate: float = option(2e-3, "peak of the cosine over the epochs before quantization", above=0, below=1)
    quantization_learning_rate: float = option(
        1e-3, "peak of the cosine over quantization-aware training", above=0, below=1
    )
    warm_up_epochs: float = option(0.0, "epochs over which the learning rate first grows from 0", 0)
    optimizer: str = option(
        "adam", "a registered optimizer, `NAME,option=value`: adam, adamw or sgd", listed="optimizers"
    )
    augmentation: str = option(
        "",
        "what happens to training images before each step, `NAME,option=value` joined by `+`",
        empty="none",
        listed="augmentations",
    )
    reference_epochs: int = option(
        3,
        "epochs of the undefended network that defences lead away from; the better it knows the task, the better is "
        "what they leave",
        1,
    )
    label_smoothing: float = option(0.0, "share of each label that goes to all classes alike", 0, below=1)
    class_weights: str = option(
        "even",
        "what an image counts: even, all the same; balanced, the more the rarer its class is",
        choices=("even", "balanced"),
    )
    seed: int = option(
        0, "seeds the first weights and the order of images alone", 0, _MOST_SEED, zero="the run's, as all else"
    )
    average_decay: float = option(
        0.0,
        "decay of an exponential moving average of the weights, which takes their place where a stage ends in a model",
        0,
        below=1,
        zero="no average",
    )
    best_epoch: bool = option(
        False, "whether the epoch with the best validation accuracy is kept, instead of the last one"
    )

    def __post_init__(self) -> None:
        check_options(self, "training")
        check(
            self.warm_up_epochs <= self.dense_epochs,
            f"training.warm_up_epochs is {self.warm_up_epochs:g}; allowed: 0 to {self.dense_epochs}, the dense epochs",
        )


@dataclass(frozen=True)
class DistillationConfig:
    """A larger network that is trained first, with the same data and recipe, and whose answers victims learn from."""

    backbone: str = option("", "the teacher's backbone", empty="no teacher", listed="backbones")
    width: float = option(2.0, "multiplies every channel count of it", above=0, high=8)
    epochs: int = option(20, "the teacher's epochs", 1)
    weight: float = option(0.5, "share of the task's loss that the teacher's answers make, the labels the rest", 0, 1)
    temperature: float = option(4.0, "divides both networks' logits before they are compared", above=0, high=100)

    def __post_init__(self) -> None:
        check_options(self, "distillation")


@dataclass(frozen=True)
class PruningConfig:
    """How channels are chosen; how many is each victim's `channel_ratio`."""

    criterion: str = option("l2_scale", "a registered pruning criterion")
    schedule: str = option("polynomial", "a registered pruning schedule, run by TF-MOT")
    multiple: int = option(4, "channels are kept in multiples of it: 4 for most cores, 8 for Helium", 1, 64)
    scale_penalty: float = option(1e-4, "L1 weight on batch-norm scales, for criteria that want one", 0, 1)

    def __post_init__(self) -> None:
        check_options(self, "pruning")


@dataclass(frozen=True)
class QuantizationConfig:
    """How the float model becomes int8."""

    method: str = option(
        "aware",
        "aware trains with fake quantization and all losses, post measures ranges on calibration images",
        choices=("aware", "post"),
    )
    calibration_images: int = option(256, "images that `post` measures ranges on", 1, 10000)
    out_of_distribution_share: float = option(
        0.0, "which share of them is procedural instead of training images", 0, below=1
    )

    def __post_init__(self) -> None:
        check_options(self, "quantization")


@dataclass(frozen=True)
class OutOfDistributionConfig:
    """The defender's own images off the task, never the attacker's: programs draw them, or pictures show them."""

    images: int = option(20000, "how many there are", 1)
    batch_size: int = option(64, "how many join each training batch of a defence that uses them", 1)
    families: tuple[str, ...] = option(
        ("silhouettes", "strokes", "spectral_noise", "patch_shuffle"),
        "registered procedural families, in equal shares",
    )
    sources: tuple[str, ...] = option(
        (),
        "pictures beside them, brought to the task's shape: .npz files, folders (with a slash in them), "
        "`package.module:load`, or query pools of another kind; no image that an attacker of the run has is used",
        empty="none",
        distinct=True,
    )
    shares: tuple[float, ...] = option(
        (),
        "the share of the images that each of `sources` gives, as far as it has so many; the families draw the rest",
        above=0,
        high=1,
        empty="each as much as a family",
    )

    def __post_init__(self) -> None:
        check_options(self, "out_of_distribution")
        named, shares = len(self.sources), self.shares
        check(
            len(shares) in (0, named),
            f"out_of_distribution.shares is {list(shares)} for {named} sources; allowed: one for each, or none",
        )
        check(
            sum(shares) <= 1 + 1e-9,
            f"out_of_distribution.shares is {list(shares)}, {sum(shares):g} in all; allowed: at most 1",
        )


@dataclass(frozen=True)
class BenchConfig:
    """How the artefacts are measured."""

    latency_rounds: int = option(40, "rounds over all victims, interleaved; each times five invokes of each", 1)
    baseline: str = option("undefended", "the victim that others are compared with")
    validity: float = option(
        0.8,
        "an attack supports a claim only if its clone of the baseline reaches this share of the baseline's accuracy",
        0,
        1,
    )
    victim_seeds: tuple[int, ...] = option(
        (),
        "seeds that `tinycerb bench matrix` trains victims with, the configuration's own among them",
        0,
        _MOST_SEED,
        empty="that one alone",
        distinct=True,
    )
    attacker_seeds: tuple[int, ...] = option(
        (), "seeds of the attackers, each attacks every victim", 0, _MOST_SEED, empty="one", distinct=True
    )
    budgets: tuple[int, ...] = option(
        (),
        "`tinycerb bench matrix` runs every attack with each of these budgets that it can use",
        0,
        _MOST_SEED,
        empty="its own",
        distinct=True,
    )
    doses: tuple[int, ...] = option(
        (10, 30, 100, 300, 1000),
        "how many unlabelled images of the victim's own kind a thief has; with each of these numbers the baseline and "
        "the victim to deploy are stolen, for a curve in the report",
        1,
        _MOST_SEED,
        empty="no curve",
        distinct=True,
    )

    def __post_init__(self) -> None:
        check_options(self, "bench")
