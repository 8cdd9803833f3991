"""TOML files to frozen dataclasses; every wrong key or value is an error that names the nearest right one."""

from tinycerb.config.attack import AttackConfig
from tinycerb.config.loading import given_keys, load_config, parse_config
from tinycerb.config.run_config import Config
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
from tinycerb.config.victim import VictimConfig

__all__ = [
    "AttackConfig",
    "BenchConfig",
    "Config",
    "DataConfig",
    "DistillationConfig",
    "ModelConfig",
    "OutOfDistributionConfig",
    "PruningConfig",
    "QuantizationConfig",
    "TrainingConfig",
    "VictimConfig",
    "given_keys",
    "load_config",
    "parse_config",
]
