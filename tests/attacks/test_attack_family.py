"""What all attacks promise: the budget, the pool, the seed; and that a clone learns."""

import inspect
from dataclasses import replace

import numpy as np
import pytest

from tests.attacks.attacker import POOL, Recorder, inputs_of
from tinycerb.attacks import ATTACKS, attack_of
from tinycerb.config import AttackConfig
from tinycerb.errors import UsageError
from tinycerb.keras_models.legacy import keras

TRUTH = (POOL.mean(axis=(1, 2, 3)) > 60).astype(int)
# Asks about images of the pool alone, as they are, each once.
POOL_ATTACKS = {
    "knockoff_adaptive": {"clusters": 4, "batch": 40},
    "knockoff_two_stage": {"low_resolution_epochs": 2, "temperature": 2.0},
    "activethief": {"strategy": "entropy", "rounds": 2, "selector_epochs": 1},
    "swiftthief_lite": {"rounds": 1, "contrast_epochs": 1, "selector_epochs": 1},
    "label_only": {"smoothing": 0.1},
    "s4l": {},
    "shadow": {"families": "gratings+silhouettes", "drawn": 100, "epochs": 1, "keep": 0.8},
}
OTHERS = {
    "smoothing": {"copies": 3},
    "jbda": {"seeds": 40, "epochs_per_round": 1},
    "jbda_tr": {"seeds": 40, "epochs_per_round": 1, "steps": 2},
    "disguide": {"batch": 32, "latent": 16, "offset": -1.0},
    "dfme": {"batch": 32, "latent": 16, "offset": -0.6, "student_steps": 1, "replay_steps": 1},
    "maze": {"batch": 16, "latent": 16, "offset": -0.6, "directions": 1, "student_steps": 2, "replay_steps": 2},
}
DATA_FREE = ("disguide", "dfme", "maze")


def config_of(name: str, **changes) -> AttackConfig:
    config = AttackConfig(
        "a", attack=name, options={**POOL_ATTACKS, **OTHERS}[name], budget=151, students=("lenet",), epochs=6,
        batch_size=16, query_pool="none" if name in DATA_FREE else "animal_mnist",
    )  # fmt: skip
    return replace(config, **changes)


def steal(config: AttackConfig, seed: int = 1, oracle: Recorder | None = None):
    """Runs an attack after its check; returns the oracle and the clone's posteriors of the pool after each epoch."""
    keras.utils.set_random_seed(seed)
    oracle, found = oracle or Recorder(), []
    inputs = inputs_of(oracle, config, lambda epoch, predict: found.append(predict(POOL)), seed)
    if config.query_pool == "none":
        inputs = replace(inputs, pool=POOL[:0])
    attack = attack_of(config)
    attack.check(config, len(inputs.pool), len(inputs.in_distribution))
    attack.run(inputs)
    return oracle, found


def rows(images: np.ndarray) -> set[bytes]:
    return {image.tobytes() for image in images}


@pytest.mark.parametrize("name", [*POOL_ATTACKS])
def test_pool_attacks_ask_images_of_the_pool_once_each_up_to_the_budget(name: str) -> None:
    oracle, found = steal(config_of(name))
    asked = np.concatenate(oracle.asked)
    assert len(asked) == oracle.charged == 151
    assert len(rows(asked)) == 151
    assert rows(asked) <= rows(POOL)
    # Either class is half of the pool.
    assert (found[-1].argmax(axis=1) == TRUTH).mean() > 0.9


@pytest.mark.parametrize(("name", "charged"), [("smoothing", 150), ("jbda", 151), ("jbda_tr", 151)])
def test_attacks_that_alter_images_stay_within_the_budget_and_learn(name: str, charged: int) -> None:
    """Of 151 calls, smoothing with three copies spends 150."""
    oracle, found = steal(config_of(name))
    assert sum(map(len, oracle.asked)) == charged
    assert (found[-1].argmax(axis=1) == TRUTH).mean() > 0.9


@pytest.mark.parametrize("name", DATA_FREE)
def test_attacks_without_images_spend_the_budget_exactly_and_learn(name: str) -> None:
    oracle, found = steal(config_of(name, budget=900))
    assert oracle.charged == 900
    assert all(images.dtype == np.uint8 and images.shape[1:] == (28, 28, 1) for images in oracle.asked)
    # Nothing of the pool was seen: made-up images alone have taught it.
    assert not rows(np.concatenate(oracle.asked)) & rows(POOL)
    assert (found[-1].argmax(axis=1) == TRUTH).mean() > 0.75


@pytest.mark.parametrize("name", ["knockoff_adaptive", "activethief", "swiftthief_lite", "jbda_tr", "disguide", "dfme"])
def test_the_seed_repeats_an_attack(name: str) -> None:
    def run() -> np.ndarray:
        oracle, found = steal(config_of(name, epochs=1, budget=100))
        return np.concatenate([np.concatenate(oracle.asked).ravel(), found[-1].ravel()])

    np.testing.assert_array_equal(run(), run())


def test_jbda_starts_from_images_of_the_victims_kind_if_there_are_any() -> None:
    config, oracle = config_of("jbda", in_distribution_images=30, budget=50), Recorder()
    inputs = replace(inputs_of(oracle, config, lambda epoch, predict: None), in_distribution=POOL[:30], pool=POOL[30:])
    attack_of(config).run(inputs)
    assert rows(oracle.asked[0]) == rows(POOL[:30])


@pytest.mark.parametrize("name", sorted(POOL_ATTACKS | {"smoothing": {}}))
def test_an_empty_pool_and_a_budget_above_it_are_named(name: str) -> None:
    config = config_of(name, budget=700)
    with pytest.raises(UsageError, match="there is nothing to ask"):
        attack_of(config).check(config, 0, 0)
    with pytest.raises(UsageError, match=r"budget is (700|233)") as error:
        attack_of(config).check(config, 200, 0)
    assert "allowed" in str(error.value)


@pytest.mark.parametrize("name", ["jbda", "jbda_tr"])
def test_seeds_must_exist_and_fit_the_budget(name: str) -> None:
    config = config_of(name, budget=10)
    with pytest.raises(UsageError, match="there are no seeds; name another"):
        attack_of(config).check(config, 0, 0)
    with pytest.raises(UsageError, match=r"budget is 10; allowed: 40"):
        attack_of(config).check(config, 200, 0)


@pytest.mark.parametrize("name", DATA_FREE)
def test_attacks_without_images_want_none_and_a_budget(name: str) -> None:
    config = config_of(name, budget=0)
    with pytest.raises(UsageError, match="allowed: query_pool = 'none'"):
        attack_of(config).check(config, 200, 0)
    with pytest.raises(UsageError, match="budget is 0; allowed: 1 or more"):
        attack_of(config).check(config, 0, 0)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("activethief", {"strategy": "entropi"}, "allowed: entropy, k_center"),
        ("knockoff_adaptive", {"reward": "none"}, "allowed: all, certainty, diversity, loss"),
        ("disguide", {"answers": "logits"}, "allowed: soft, hard"),
        ("label_only", {"smoothing": 1.5}, "option smoothing is 1.5; allowed: 0 to 0.9"),
        ("smoothing", {"copies": 0}, "option copies is 0; allowed: 1 to 64"),
        ("knockoff_two_stage", {"temperature": 0.0}, "option temperature is 0.0; allowed: 0.05 to 20"),
        ("s4l", {"weight": -1.0}, "option weight is -1.0; allowed: 0 to 100"),
        ("jbda", {"step": 2.0}, "option step is 2.0; allowed"),
        ("jbda_tr", {"children": 0}, "option children is 0; allowed: 1 to 100"),
        ("dfme", {"step": 0.0}, "option step is 0.0; allowed"),
        ("maze", {"directions": 0}, "option directions is 0; allowed"),
        ("swiftthief_lite", {"rounds": 0}, "option rounds is 0; allowed: 1 to 100"),
        ("jbda", {"stepp": 0.1}, "unknown key 'stepp'"),
    ],
)
def test_wrong_options_are_named(name: str, options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        attack_of(AttackConfig("a", attack=name, options=options))


def test_every_attack_explains_itself() -> None:
    """Its options explain themselves (tests/options)."""
    for name in ATTACKS:
        about = (ATTACKS[name].__doc__ or "") + (inspect.getmodule(ATTACKS[name]).__doc__ or "")  # type: ignore[union-attr]
        assert len(about) > 100, name
