"""Networks that users bring along: what fits goes through, what does not is named by its layer before any training."""

import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from tinycerb.config import Config, VictimConfig, load_config
from tinycerb.config.user_sources import Sources
from tinycerb.conversion.preflight import check
from tinycerb.datasets import load_dataset
from tinycerb.defenses import defense_of
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.keras_models.legacy import keras, named_layer
from tinycerb.keras_models.model_optimization import tfmot
from tinycerb.training.model_source import build_model, compare_model, load_user_model

L = keras.layers
SHAPE = (16, 16, 1)
CLASSES = 3


def ended(image, x) -> keras.Model:
    features = L.GlobalAveragePooling2D()(x) if len(x.shape) == 4 else x
    return keras.Model(image, L.Dense(CLASSES, activation="softmax")(features))


def around(layer: Callable, first: Callable | None = None) -> Callable[[], keras.Model]:
    """A sound model with `layer` behind its first convolution."""

    def build() -> keras.Model:
        image = L.Input(SHAPE)
        return ended(image, layer((first or L.Conv2D(8, 3, padding="same", name="first"))(image)))

    return build


def behind(kind: Callable, *arguments, **options) -> Callable[[], keras.Model]:
    """A sound model with a fresh layer of that kind behind its first convolution."""
    # A new layer each time: the function is called more than once.
    return around(lambda x: kind(*arguments, **options)(x))  # noqa: PLW0108


def sound() -> keras.Model:
    image = L.Input(SHAPE)
    x = L.ReLU()(L.BatchNormalization()(L.Conv2D(8, 3, use_bias=False)(image)))
    x = L.MaxPooling2D()(L.Add()([x, L.Conv2D(8, 3, padding="same", activation="relu")(x)]))
    return ended(image, L.Dropout(0.2)(x))


def sequential(*tail) -> keras.Sequential:
    return keras.Sequential([L.Input(SHAPE), L.Conv2D(8, 3, activation="relu", name="first"), L.Flatten(), *tail])


def unseeded() -> keras.Model:
    model = sound()
    model.set_weights([np.random.default_rng().normal(size=weight.shape) for weight in model.get_weights()])
    return model


class Subclassed(keras.Model):
    pass


def with_keras_3():
    import keras as keras_3

    return keras_3.Sequential([keras_3.layers.Input(SHAPE), keras_3.layers.Flatten(), keras_3.layers.Dense(3)])


def shared() -> keras.Model:
    twice = L.Conv2D(8, 3, padding="same", name="twice")
    return around(lambda x: twice(twice(x)))()


def squared(x):
    return x * x


@pytest.fixture
def data(tmp_path) -> str:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (90, *SHAPE)).astype(np.uint8)
    np.savez(tmp_path / "data.npz", images=images, labels=np.arange(90) % CLASSES)
    return str(tmp_path / "data.npz")


@pytest.fixture
def configured(data, monkeypatch) -> Callable[[Callable], Config]:
    """The preset `custom` with a function of this file as the user's."""

    def configure(build: Callable) -> Config:
        monkeypatch.setattr(sys.modules[__name__], "under_test", build, raising=False)
        monkeypatch.setitem(sys.modules, "users_module", sys.modules[__name__])
        return load_config("custom", [], Sources("users_module:under_test", data))

    return configure


@pytest.mark.parametrize(
    "build",
    [
        sound,
        lambda: sequential(L.Dense(3, activation="softmax")),
        lambda: sequential(L.Dense(12, activation="relu"), L.Dense(3)),
        lambda: sequential(L.Dense(3), L.Softmax()),
        lambda: sequential(L.Dense(3), L.Activation("softmax")),
    ],
)
def test_a_model_that_fits_goes_through_and_keeps_its_weights(configured, build: Callable) -> None:
    config = configured(build)
    facts = check(config)
    assert facts["operators"] >= 4
    dataset = load_dataset(config.data)
    given = build()
    given.set_weights([np.full_like(weight, 0.25) for weight in given.get_weights()])
    config = configured(lambda: given)
    model = build_model(config, defense_of(config.victim("cerberos")), dataset)
    assert [layer.name for layer in model.layers[-3:]] == ["head_0", "head_1", "head_2"]
    backbone = [layer for layer in model.layers if not layer.name.startswith("head_")]
    weights = [weight for layer in backbone for weight in layer.get_weights()]
    assert weights
    assert all((weight == 0.25).all() for weight in weights)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            around(lambda x: x, first=lambda i: L.Conv2D(8, 3)(L.Rescaling(1 / 255, name="s")(i))),
            "'s' .*take it out.*0..1",
        ),
        (
            around(lambda x: x, first=lambda i: L.Conv2D(8, 3)(L.Normalization(mean=0.0, variance=1.0, name="n")(i))),
            "'n' .*fold its mean",
        ),
        (
            behind(L.LayerNormalization, name="norm"),
            "'norm' .3 of 5, LayerNormal.*TF-MOT.*use BatchNormalization",
        ),
        (
            lambda: ended(i := L.Input(SHAPE), L.BatchNormalization(name="n")(L.Conv2D(8, 3, activation="relu")(i))),
            r"'n' \(3 of 5, BatchNorm.*stands behind the activation 'relu' of layer 'conv2d.*put it right after",
        ),
        (behind(L.GlobalMaxPooling2D, name="top"), r"'top' \(GlobalMaxPooling2D\).*; use GlobalAveragePooling2D$"),
        (around(lambda x: L.BatchNormalization(name="lone")(L.ReLU()(x))), "'lone'.*put it right after a Conv2D"),
        (
            behind(L.Activation, "elu", name="act"),
            "'act'.*TF-MOT.*use 'relu' in place of the activation 'elu'",
        ),
        (behind(L.Conv2D, 8, 3, activation="selu", name="second"), "'second' .Conv2D.*TF-MOT.*'selu'"),
        (behind(L.Lambda, squared, name="square"), "'square'.*TF-MOT.*write it with Keras' own layers"),
        (around(lambda x: x + 1.0), r"TFOpLambda.*Add\(\)"),
        (behind(keras.Sequential, [L.ReLU()], name="inner"), "'inner' .*a model inside the model"),
        (
            behind(L.Reshape, (16, 16, 8), name="again"),
            "'again' is a Reshape, whose channels pruning cannot follow",
        ),
        (shared, "'twice' is used 2 times; pruning takes one use"),
        (behind(L.Conv2D, 8, 3, groups=2, name="grouped"), "'grouped' has 2 groups"),
        (
            behind(L.Conv2DTranspose, 8, 3, name="up"),
            "'up' is a Conv2DTranspose, whose channels pruning cannot follow",
        ),
        (lambda: sequential(L.Dense(4)), r"4 classes apart, the data have 3 \(0, 1, 2\); build it with Dense\(3"),
        (lambda: sequential(L.Dense(1, activation="sigmoid")), "activation 'sigmoid'; expected one softmax"),
        (lambda: sequential(L.Dense(1)), "has 1 output; expected one softmax"),
        (lambda: keras.Sequential([L.Input(SHAPE), L.Conv2D(3, 16), L.Flatten(), L.Softmax()]), "ends in .* a Flatten"),
        (
            lambda: keras.Sequential([L.Input(SHAPE), L.Dense(3, name="d")]),
            "'d' reads .*GlobalAveragePooling2D or Flat",
        ),
        (
            lambda: ended(image := L.Input((16, 16, 3)), L.Conv2D(8, 3)(image)),
            r"takes images of \(16, 16, 3\), the data",
        ),
        (lambda: ended(image := L.Input((None, None, 1)), L.Conv2D(8, 3)(image)), r"Input\(\(16, 16, 1\)\)"),
        (lambda: keras.Sequential([L.Flatten(), L.Dense(3)]), "Sequential model without input shape"),
        (Subclassed, "a subclassed model; pruning and quantization follow a graph"),
        (with_keras_3, "this is a Keras 3 model.*import tf_keras as keras.*set_weights"),
        (lambda: 7, "returned a int; expected a tf_keras model"),
        (lambda: 1 / 0, r"failed: ZeroDivisionError: division by zero, test_preflight.py line"),
        (unseeded, "builds other weights every time"),
        (lambda: ended(image := L.Input(SHAPE), L.Conv2D(8, 3, name="head_0")(image)), '"head_0" is used'),
    ],
)
def test_what_does_not_fit_is_named_with_the_fix(configured, build: Callable, message: str) -> None:
    config = configured(build)
    with pytest.raises(UsageError, match=f"(?s){message}") as told:
        check(config)
    assert str(told.value).count("does not take this model") <= 1
    assert "QuantizeConfig" not in str(told.value)


@pytest.mark.parametrize(
    "build",
    [
        behind(L.AveragePooling2D),
        behind(L.ZeroPadding2D),
        behind(L.Conv2D, 8, 3, activation="sigmoid"),
    ],
)
def test_what_the_runtimes_run_goes_through(configured, build: Callable) -> None:
    assert check(configured(build))["operators"] >= 4


def test_what_tf_mot_refuses_without_a_culprit_is_told_once(monkeypatch, configured) -> None:
    def refuse(*_):
        raise RuntimeError("Layer x is not supported. You can quantize this layer by passing a `QuantizeConfig`")

    monkeypatch.setattr(tfmot.quantization.keras, "quantize_model", refuse)
    monkeypatch.setattr("tinycerb.conversion.preflight._refused_alone", lambda layer: False)
    with pytest.raises(UsageError) as told:
        check(configured(sound))
    assert str(told.value).startswith(
        "quantization-aware training does not take this model: Layer x is not supported; build the network of Conv2D, "
    )


def pinned(config: Config, victim: VictimConfig) -> Config:
    """The configuration of a run with this one victim, as it stands in its directory."""
    config = replace(config, victims=(replace(victim, name="undefended"),))
    return replace(config, model=replace(config.model, sha256=check(config)["sha256"]))


def kernels_of(config: Config) -> list[np.ndarray]:
    """The weights of the one convolution in each of the victim's networks."""
    model = build_model(config, defense_of(config.victims[0]), load_dataset(config.data))
    return [layer.get_weights()[0] for layer in model.layers if isinstance(layer, L.Conv2D)]


@pytest.mark.parametrize(
    ("victim", "networks"),
    [
        (VictimConfig("v", "edm", options={"heads": 3, "hash": "keyed"}), 3),
        (VictimConfig("v", "am"), 2),
        (VictimConfig("v", "ini"), 1),
        (VictimConfig("v", "cerberos", options={"losses": "independent_teacher+mean_head:0.3"}), 1),
    ],
)
def test_a_function_is_compared_once_and_its_networks_do_not_start_alike(configured, victim, networks: int) -> None:
    config = pinned(configured(around(lambda x: x)), victim)
    compare_model(config)
    found = kernels_of(config)
    # What mean_head, independent_teacher and ini build beside the victim.
    beside = build_model(config, defense_of(config.victims[0]), load_dataset(config.data), heads=1)
    found.append(beside.layers[1].get_weights()[0])
    assert len(found) == networks + 1
    assert all(one.shape == other.shape and (one != other).any() for one, other in combinations(found, 2))
    # The next process, and another seed of a matrix, meet the same function and go on.
    compare_model(config)
    compare_model(replace(config, seed=7))
    other = replace(config, model=replace(config.model, source="users_module:sound"))
    with pytest.raises(EnvironmentProblem, match="not the one that the run was started with"):
        compare_model(other)


def test_networks_from_a_saved_file_keep_its_weights_and_differ_in_their_heads(tmp_path, data) -> None:
    save(around(lambda x: x)(), tmp_path / "model.h5")
    victim = VictimConfig("v", "edm", options={"heads": 3, "hash": "keyed"})
    config = pinned(load_config("custom", [], Sources(str(tmp_path / "model.h5"), data)), victim)
    compare_model(config)
    saved = load_user_model(config.model.source)[0].layers[1].get_weights()[0]
    kernels = kernels_of(config)
    assert len(kernels) == 3
    assert all((kernel == saved).all() for kernel in kernels)
    model = build_model(config, defense_of(config.victims[0]), load_dataset(config.data))
    heads = [named_layer(model, f"head_{index}").get_weights()[0] for index in range(3)]
    assert all((one != other).any() for one, other in combinations(heads, 2))


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_a_saved_model_is_loaded_with_its_weights(tmp_path, data, ending: str) -> None:
    path = tmp_path / f"model.{ending}"
    save(sound(), path)
    config = load_config("custom", [], Sources(str(path), data))
    facts = check(config)
    assert len(facts["sha256"]) == 64
    loaded, _ = load_user_model(str(path))
    model = build_model(config, defense_of(config.victim("undefended")), load_dataset(config.data))
    for before, after in zip(loaded.get_weights()[:-2], model.get_weights()[:-2], strict=True):
        np.testing.assert_array_equal(before, after)
    path.write_bytes(path.read_bytes() + b" ")
    config = load_config("custom", [f"model.sha256={facts['sha256']}"], Sources(str(path), data))
    with pytest.raises(EnvironmentProblem, match="not the one that the run was started with"):
        build_model(config, defense_of(config.victim("undefended")), load_dataset(config.data))


def save(model, path: Path) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path)


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_files_of_keras_3_and_files_with_code_are_refused_unopened(tmp_path, ending: str) -> None:
    path = tmp_path / f"three.{ending}"
    save(with_keras_3(), path)
    with pytest.raises(UsageError, match=r"saved by Keras 3\..*import tf_keras as keras.*set_weights.*save"):
        load_user_model(str(path))
    path = tmp_path / f"code.{ending}"
    save(behind(L.Lambda, lambda x: x * 2, name="double")(), path)
    with pytest.raises(UsageError, match=r"holds code of its own \(layer 'double', a Lambda\).*package.module:build"):
        load_user_model(str(path))


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_corrupt_and_incomplete_model_files(tmp_path, ending: str) -> None:
    path = tmp_path / f"model.{ending}"
    with pytest.raises(EnvironmentProblem, match="there is no model file"):
        load_user_model(str(path))
    for content in (b"", b"nonsense"):
        path.write_bytes(content)
        with pytest.raises(EnvironmentProblem, match="corrupt"):
            load_user_model(str(path))
    weights = tmp_path / "only.h5"
    sound().save_weights(weights)
    with pytest.raises(UsageError, match=r"weights without a network; save the whole"):
        load_user_model(str(weights))
    with pytest.raises(UsageError, match=r"no model that can be loaded; allowed: package.module:build, or a file"):
        load_user_model(str(tmp_path / "model.tflite"))
    with pytest.raises(UsageError, match=r"model\.source is empty"):
        load_user_model("")
