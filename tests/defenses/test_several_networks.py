"""AM, EDM and the random head of grad_head: their losses, what learns what, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tests.defenses.conftest import CLASSES, SHAPE, make_batch
from tinycerb.compression.pruner import NothingPruned
from tinycerb.config import VictimConfig, load_config
from tinycerb.defenses import answering_heads, defense_of, heads_in_file
from tinycerb.defenses.base import TrainingContext
from tinycerb.defenses.choice import parse_defense, with_defense
from tinycerb.errors import UsageError
from tinycerb.jobs.plan import plan
from tinycerb.keras_models.legacy import keras, named_layer
from tinycerb.keras_models.multi_head import attach_heads, attach_own_backbones
from tinycerb.run.victim import resolve_victim, victims_of
from tinycerb.training.objective import LogitPredictor, TrainingStep
from tinycerb.training.twin_victims import trained_twin


def backbone() -> keras.Model:
    image = keras.layers.Input(SHAPE)
    flat = keras.layers.Flatten()(image)
    return keras.Model(image, keras.layers.Dense(16, activation="relu", name="features")(flat))


def train(context: TrainingContext, victim: VictimConfig, model: keras.Model, steps: int = 150) -> keras.Model:
    """Trains all heads as the loop does."""
    defense = defense_of(victim)
    step = TrainingStep(
        model, defense.prepare(context), context.dataset.train, context.other_images, NothingPruned(),
        task_heads=defense.heads,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    for _ in range(steps):
        step(rng.integers(0, 1024, 64), rng.integers(0, len(context.other_images), 64), 5e-3, 1.0)
    return model


def labels(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return LogitPredictor(model)(images).argmax(axis=2)


def test_misinformation_is_the_loss_of_the_paper(context: TrainingContext) -> None:
    rng = np.random.default_rng(4)
    pairs = [[tf.constant(rng.normal(size=(8, CLASSES)), tf.float32) for _ in range(2)] for _ in range(2)]
    batch = make_batch(context, *pairs)
    exposure, misinformation = defense_of(VictimConfig("v", "am")).prepare(context)(batch)
    honest, wrong = (np.asarray(tf.nn.softmax(logits)) for logits in pairs[1])
    assert float(exposure) == pytest.approx(-np.log(honest).mean(), rel=1e-5)
    on_task = 1 - np.asarray(tf.nn.softmax(pairs[0][1]))[np.arange(8), batch.labels.numpy()]
    off_task = 1 - wrong[np.arange(8), honest.argmax(axis=1)]
    assert float(misinformation) == pytest.approx(-np.log(np.concatenate([on_task, off_task])).mean(), rel=1e-5)


def test_am_s_second_network_is_wrong_and_its_first_one_unsure_off_the_task(context: TrainingContext) -> None:
    model = train(context, VictimConfig("v", "am"), attach_own_backbones([backbone(), backbone()], CLASSES, 1))
    task, other = context.dataset.train, context.other_images
    right = (labels(model, task.images) == task.labels[:, np.newaxis]).mean(axis=0)
    assert right[0] > 0.95
    assert right[1] < 0.05
    told = labels(model, other)
    assert (told[:, 0] == told[:, 1]).mean() < 0.1
    posteriors = tf.nn.softmax(LogitPredictor(model)(other)[:, 0]).numpy().max(axis=1)
    assert np.median(posteriors) < 0.5


def test_edm_s_members_disagree_off_the_task_and_its_hash_spreads(context: TrainingContext) -> None:
    victim = VictimConfig("v", "edm", options={"heads": 2})
    model = train(context, victim, attach_own_backbones([backbone() for _ in range(3)], CLASSES, 2), 250)
    task, told = context.dataset.train, labels(model, context.other_images)
    assert ((labels(model, task.images) == task.labels[:, np.newaxis]).mean(axis=0)[:2] > 0.95).all()
    assert (told[:, 0] == told[:, 1]).mean() < 0.2
    # The hash's classes are those of a random network: all of them occur.
    assert np.bincount(told[:, 2], minlength=CLASSES).min() > 0.05 * len(told)
    first = defense_of(victim).prepare(context)
    assert heads_in_file(defense_of(victim)) == 3
    assert first is not None


def test_the_random_head_learns_nothing_and_disturbs_nothing(context: TrainingContext) -> None:
    alone, with_scores = [attach_heads(backbone(), CLASSES, 1, random_heads=count) for count in (0, 1)]
    for index, layer in enumerate(("features", "head_0")):
        named_layer(with_scores, layer).set_weights(named_layer(alone, layer).get_weights())
        assert index < 2
    before = named_layer(with_scores, "head_1").get_weights()
    assert all(np.std(weight) > 0.1 for weight in before)
    train(context, VictimConfig("v"), alone, 30)
    train(context, VictimConfig("v", response="grad_head"), with_scores, 30)
    assert all(
        (old == new).all() for old, new in zip(before, named_layer(with_scores, "head_1").get_weights(), strict=True)
    )
    assert (named_layer(with_scores, "head_0").get_weights()[0] == named_layer(alone, "head_0").get_weights()[0]).all()


def test_any_training_part_with_one_head_takes_it_along(context: TrainingContext) -> None:
    images = context.dataset.train.images[:32]
    model = attach_heads(backbone(), CLASSES, 1, random_heads=1)
    logits = model(images.astype(np.float32) / 255)
    batch = make_batch(context, logits, logits)
    for name in ("outlier_exposure", "divqat", "ini"):
        defense = defense_of(VictimConfig("v", name, response="grad_head,epsilon=.5+rounding"))
        terms = defense.prepare(replace(context, slim=model, stage="quantize"))(batch)
        assert all(np.isfinite(float(term)) for term in terms)
        assert (defense.heads, heads_in_file(defense), answering_heads(defense)) == (1, 2, 1)


def text_of(victim: VictimConfig) -> str:
    return resolve_victim(victim).response_text


def test_the_whole_response_begins_with_what_reads_the_heads() -> None:
    assert text_of(VictimConfig("v", "am", options={"tau": 0.9}, response="dcp")) == "am,tau=0.9+dcp"
    assert text_of(VictimConfig("v", "am", response="am,tau=.5")) == "am,tau=.5"
    assert text_of(VictimConfig("v", "edm", options={"heads": 4})) == "edm,members=4"
    assert text_of(VictimConfig("v", "edm", options={"hash": "keyed"}, response="top1")) == "top1"
    assert text_of(VictimConfig("v", response="grad_head+top1")) == "grad_head+top1"


def test_the_command_line_s_choices() -> None:
    assert parse_defense("am,tau=.9").options == {"tau": 0.9}
    assert parse_defense("edm,heads=3,hash=coarse_keyed+rounding").response == "rounding"
    choice = parse_defense("none+grad_head,epsilon=.5")
    assert (choice.defense, choice.response, choice.name) == ("none", "grad_head,epsilon=.5", "grad_head")
    assert parse_defense("ini+grad_head").defense == "ini"
    config = with_defense(load_config("demo"), "edm")
    assert [task.key for task in plan(config) if task.key.startswith("steal/edm/knockoff/")] == [
        "steal/edm/knockoff/fixed"
    ]


def test_victims_that_differ_in_the_answer_alone_are_trained_once() -> None:
    victims = (
        VictimConfig("undefended"), VictimConfig("a", "am"), VictimConfig("b", "am", options={"tau": 0.9}),
        VictimConfig("g", response="grad_head"), VictimConfig("h", response="grad_head,epsilon=.2+top1"),
    )  # fmt: skip
    config = replace(load_config("demo"), victims=victims)
    twins = {victim.name: trained_twin(victims_of(config), victim.name) for victim in victims}
    assert twins == {"undefended": "undefended", "a": "a", "b": "a", "g": "g", "h": "g"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("am,tau=1.5", "defence 'am': option tau is 1.5; allowed: 0 to 1"),
        ("am,tau=nan", "am.options.tau is nan; expected a finite number"),
        ("am,selection=keyed", "defence 'am' has no option 'selection'"),
        ("am,misinformation_weight=0", "allowed: above 0"),
        ("edm,heads=1", "defence 'edm': option heads is 1; allowed: 2 to 255"),
        ("edm,hash=random", "defence 'edm': option hash is 'random'; allowed: network, keyed, coarse_keyed"),
        ("cerberos+grad_head", "redirects the answer of one head"),
        ("am+grad_head", "redirects the answer of one head"),
        ("none+grad_head,epsilon=-1", "response 'grad_head': option epsilon is -1.0; allowed: 0 to 2"),
        ("am+edm", "2 training parts"),
        ("none+dcp+grad_head", "put it first"),
    ],
)
def test_what_makes_no_sense_is_refused_on_the_command_line(text: str, message: str, cli, tmp_path) -> None:
    with pytest.raises(UsageError, match=message):
        parse_defense(text)
    if text in ("edm,heads=1", "am,tau=1.5"):
        done = cli("train", "smoke", "--defense", text, "--out", tmp_path / "run")
        assert done.returncode == 2
        assert message in done.stderr
        assert not (tmp_path / "run").exists()


def test_and_in_toml(cli, tmp_path) -> None:
    path = tmp_path / "config.toml"
    for body, message in (
        ('response = "am"', "makes one answer of 2 heads that are trained for it; this file has 1"),
        ('defense = "edm"\noptions = { heads = 3 }\nresponse = "edm,members=2"', "of 3 heads that are trained for it"),
        ('defense = "edm"\noptions = { heads = "three" }', "heads"),
    ):
        path.write_text(f'extends = "smoke"\n[[victims]]\nname = "undefended"\n{body}\n')
        done = cli("train", path, "--out", tmp_path / "run")
        assert (done.returncode, message in done.stderr) == (2, True), done.stderr
    path.write_text('extends = "smoke"\n[out_of_distribution]\nfamilies = []\n')
    done = cli("train", path, "--defense", "am", "--out", tmp_path / "run")
    assert (done.returncode, "families is empty; name at least one" in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "run").exists()


def test_they_are_listed_and_explained(cli) -> None:
    rows = json.loads(cli("defenses", "list", "--json").stdout)["defenses"]
    assert {
        ("am", "training"),
        ("edm", "training"),
        ("am", "response"),
        ("edm", "response"),
        ("grad_head", "response"),
    } <= {(row["name"], row["part"]) for row in rows}
    shown = cli("defenses", "show", "edm").stdout
    assert "hash (str) = 'network'" in shown
    assert "members (int) = 3" in shown
