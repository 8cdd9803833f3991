"""Everything that determines a run."""

import hashlib
import re
from dataclasses import MISSING, asdict, dataclass, field

import tomli_w

from tinycerb.config.attack import AttackConfig
from tinycerb.config.checks import check, check_name
from tinycerb.config.sections import (
    BenchConfig,
    DataConfig,
    DistillationConfig,
    ModelConfig,
    OutOfDistributionConfig,
    PruningConfig,
    QuantizationConfig,
    TrainingConfig,
)
from tinycerb.config.user_sources import PUBLIC
from tinycerb.config.victim import VictimConfig
from tinycerb.options import check_options, option


@dataclass(frozen=True)
class Config:
    """Everything that determines a run."""

    name: str = option(MISSING, "the run's name")
    victims: tuple[VictimConfig, ...] = option(MISSING, "the models, compared side by side; one at least")
    attacks: tuple[AttackConfig, ...] = option(MISSING, "the attacks, each run on every victim", empty="none")
    seed: int = option(1, "seeds weights, batches, procedural images, head draws and attackers", 0, 2**31 - 1)
    plugins: tuple[str, ...] = option(
        (),
        "modules of your own that register defences, responses, attacks and other parts, or paths of .py files",
        empty="none",
        distinct=True,
    )
    recommended: str = option("", "the victim to deploy", empty="the last with the strongest training part")
    owner: str = option(
        "",
        "what a defence's random teachers come from: `public` (the seed alone, for experiments that others repeat; a "
        "preset's does not hold for data or models of a user's), or the hash of the owner key that the run was started "
        "with, 64 hexadecimal digits",
        empty="a key that is given or made when a run starts",
    )
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    distillation: DistillationConfig = field(default_factory=DistillationConfig)
    pruning: PruningConfig = field(default_factory=PruningConfig)
    quantization: QuantizationConfig = field(default_factory=QuantizationConfig)
    out_of_distribution: OutOfDistributionConfig = field(default_factory=OutOfDistributionConfig)
    bench: BenchConfig = field(default_factory=BenchConfig)

    def __post_init__(self) -> None:
        check_name("name", self.name)
        check(
            self.owner in ("", PUBLIC) or re.fullmatch(r"[0-9a-f]{64}", self.owner) is not None,
            f"owner is {self.owner!r}; allowed: {PUBLIC}, the hash of an owner key (64 hexadecimal digits), or empty",
        )
        check(len(self.victims) > 0, "no [[victims]]; name at least one")
        check_options(self)
        for kind, entries in (("victims", self.victims), ("attacks", self.attacks)):
            names = [entry.name for entry in entries]
            for name in names:
                check(names.count(name) == 1, f"{kind}: the name {name!r} is used {names.count(name)} times")
        names = [victim.name for victim in self.victims]
        check(
            self.bench.baseline in names,
            f"bench.baseline is {self.bench.baseline!r}; allowed: {', '.join(names)}",
        )
        check(
            self.recommended in ("", *names),
            f"recommended is {self.recommended!r}; allowed: {', '.join(names)}, or empty",
        )
        check(
            not self.bench.victim_seeds or self.seed in self.bench.victim_seeds,
            f"bench.victim_seeds is {list(self.bench.victim_seeds)} without seed = {self.seed}; name it among them",
        )

    def victim(self, name: str) -> VictimConfig:
        """Returns a victim by its name."""
        return next(victim for victim in self.victims if victim.name == name)

    def attack(self, name: str) -> AttackConfig:
        """Returns an attack by its name."""
        return next(attack for attack in self.attacks if attack.name == name)

    @property
    def training_seed(self) -> int:
        """What a victim's first weights and the order of its images come from."""
        return self.training.seed or self.seed

    def to_toml(self) -> str:
        """Returns the resolved configuration, every default spelled out."""
        return tomli_w.dumps(asdict(self))

    def digest(self) -> str:
        """Returns eight hexadecimal digits that name this configuration."""
        return hashlib.sha256(self.to_toml().encode()).hexdigest()[:8]
