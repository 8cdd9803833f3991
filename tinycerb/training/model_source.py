"""Where the untrained multi-head model comes from: a registered backbone, or a model that the user brings along."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tinycerb.bounded.files import HOW_TO_RAISE, memory_limit, read_bytes
from tinycerb.config import Config
from tinycerb.config.user_sources import USER, call_reference, code_is_allowed, is_keras_model, is_reference
from tinycerb.datasets.images import Dataset
from tinycerb.defenses import Defense
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.keras_models.classifier import split_at_classifier
from tinycerb.keras_models.hash_net import hash_net
from tinycerb.keras_models.keras_file import (
    DamagedKerasFileError,
    ForeignCodeError,
    KerasFileError,
    TooLargeError,
    open_keras_file,
)
from tinycerb.keras_models.legacy import Keras3ModelError, keras, require_legacy_model
from tinycerb.keras_models.multi_head import attach_heads, attach_own_backbones
from tinycerb.training.backbones import BACKBONES
from tinycerb.training.setup import make_repeatable

KINDS = "package.module:build, or a file that tf_keras has saved: model.h5, model.hdf5, model.keras, or a SavedModel"
# What a function's digest is taken with, so that it is the same for every seed of a matrix.
_DIGEST_SEED = 1


def build_model(config: Config, defense: Defense, dataset: Dataset, heads: int = 0) -> keras.Model:
    """Builds the multi-head model: fresh heads on fresh backbones, or on the user's with the weights that it has.

    Args:
        config: names the network.
        defense: says how many heads.
        dataset: gives image shape and classes.
        heads: so many on one backbone, whatever the defence wants, or 0 for what it wants.

    Raises:
        UsageError: unknown backbone, a model that does not fit the data, or more heads than classes.
        EnvironmentProblem: the user's file is missing or corrupt, or not the one that the run was started with.
    """
    try:
        wanted, units = defense.architecture, config.model.head_units
        if heads:
            return attach_heads(_own(config, dataset), dataset.classes, heads, units)
        if wanted.backbones:
            backbones = [_BACKBONES[kind](config, dataset) for kind in wanted.backbones]
            return attach_own_backbones(backbones, dataset.classes, defense.heads, units)
        return attach_heads(_own(config, dataset), dataset.classes, defense.heads, units, wanted.random_heads)
    except ValueError as error:
        raise UsageError(str(error)) from error


def load_user_model(source: str) -> tuple[keras.Model, str]:
    """Loads a model as the user has it.

    Args:
        source: a path or a reference.

    Returns:
        The model, and a SHA-256: of the file or folder, or of the architecture and weights that the function has built.

    Raises:
        UsageError: a Keras 3 model, a file with code in it, or anything but a Keras model.
        EnvironmentProblem: the file is missing or corrupt.
    """
    if not source:
        raise UsageError(f"model.source is empty; name your model with --model: {KINDS}")
    if not is_reference(source):
        model = _load_file(Path(source))
        _require_functional(model, source)
        return model, _digest(Path(source))
    # Layers without names are numbered; from 1 again, so that the same function builds the same model.
    keras.backend.reset_uids()
    model = _require_keras_2(call_reference(source), source)
    _require_functional(model, source)
    sha256 = hashlib.sha256(model.to_json().encode())
    for weight in model.get_weights():
        sha256.update(np.ascontiguousarray(weight).data)
    return model, sha256.hexdigest()


def compare_model(config: Config) -> None:
    """Compares a user's model with the one that the run was started with: once per process, before others are built.

    Later builds go on drawing: the networks of an ensemble, a reference or a surrogate must not start alike, so their
    digests say nothing. The random state is that of the run's seed afterwards.

    Raises:
        EnvironmentProblem: it is another one.
        UsageError: as `load_user_model`.
    """
    if config.model.backbone == USER:
        first_build(config)


def first_build(config: Config) -> tuple[keras.Model, str]:
    """Builds a user's model as it is compared; returns and raises as `load_user_model` and `compare_model`."""
    make_repeatable(_DIGEST_SEED)
    model, sha256 = load_user_model(config.model.source)
    _compare(config, sha256)
    make_repeatable(config.training_seed)
    return model, sha256


def _compare(config: Config, sha256: str) -> None:
    wanted = config.model.sha256
    if wanted and sha256 != wanted:
        raise EnvironmentProblem(
            f"the model {config.model.source} is not the one that the run was started with (SHA-256 {sha256[:16]}..., "
            f"then {wanted[:16]}...); bring that one back, or start a new run. A function must build the same weights "
            "every time: load them, or leave them to Keras' initialisers, which TinyCerb seeds"
        )


def _own(config: Config, dataset: Dataset) -> keras.Model:
    if config.model.backbone == USER:
        return _user_backbone(config, dataset)
    return BACKBONES[config.model.backbone](dataset.image_shape, config.model.width)


# What a defence's heads may stand on.
_BACKBONES: dict[str, Callable[[Config, Dataset], keras.Model]] = {
    "own": _own,
    "hash": lambda config, dataset: hash_net(dataset.image_shape),
}


def _user_backbone(config: Config, dataset: Dataset) -> keras.Model:
    model, sha256 = load_user_model(config.model.source)
    if not is_reference(config.model.source):
        _compare(config, sha256)
    backbone, classes = split_at_classifier(model)
    image: Any = backbone.input
    shape = tuple(image.shape[1:])
    if shape != dataset.image_shape:
        raise UsageError(
            f"the model {config.model.source} takes images of {shape}, the data have {dataset.image_shape} (height, "
            f"width, channels); build it with keras.layers.Input({dataset.image_shape})"
        )
    if classes != dataset.classes:
        raise UsageError(
            f"the model {config.model.source} tells {classes} classes apart, the data have {dataset.classes} "
            f"({', '.join(dataset.class_names[:8])}); build it with Dense({dataset.classes}, activation='softmax')"
        )
    return backbone


def _require_functional(model: keras.Model, source: str) -> None:
    """A subclassed model, or one without input shape, is no graph of layers."""
    if not getattr(model, "_is_graph_network", False) or not model.inputs:
        kind = "a Sequential model without input shape" if isinstance(model, keras.Sequential) else "a subclassed model"
        raise UsageError(
            f"the model {source} is {kind}; pruning and quantization follow a graph of layers: start with "
            "keras.layers.Input((height, width, channels)) and build keras.Model(image, output) or keras.Sequential"
        )


def _digest(path: Path) -> str:
    """SHA-256 of a file, or of all names and files in the folder of a SavedModel."""
    if path.is_file():
        return hashlib.sha256(read_bytes(path, memory_limit())).hexdigest()
    sha256 = hashlib.sha256()
    for each in sorted(path.rglob("*")):
        if each.is_file():
            sha256.update(f"{each.relative_to(path)}\n".encode())
            sha256.update(hashlib.sha256(read_bytes(each, memory_limit())).digest())
    return sha256.hexdigest()


def _require_keras_2(model: object, source: str) -> keras.Model:
    try:
        return require_legacy_model(model)
    except Keras3ModelError as error:
        raise UsageError(f"{source}: {error}") from error
    except TypeError as error:
        raise UsageError(f"{source} returned a {type(model).__name__}; expected a tf_keras model") from error


def _load_file(path: Path) -> keras.Model:
    if not is_keras_model(path):
        raise UsageError(f"{path} is no model that can be loaded; allowed: {KINDS}")
    try:
        return open_keras_file(path, code_is_allowed(), memory_limit())
    except ForeignCodeError as error:
        raise UsageError(
            f"{error}; use Keras' own layers, or give a function instead: package.module:build. If you trust whoever "
            "made it with your machine: --allow-code"
        ) from error
    except DamagedKerasFileError as error:
        raise EnvironmentProblem(f"{error}; allowed: {KINDS}") from error
    except TooLargeError as error:
        raise UsageError(f"{error}; {HOW_TO_RAISE}") from error
    except KerasFileError as error:
        raise UsageError(
            f"{error}; save it again, model.save('model.h5'), or give a function: package.module:build"
        ) from error
