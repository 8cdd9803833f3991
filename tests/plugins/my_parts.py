"""A plugin with one part of every kind, as a user writes it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycerb.answers.responses import RESPONSES, Response, ResponseStep
from tinycerb.attacks import ATTACKS, STUDENTS
from tinycerb.attacks.base import check_distinct, choose_images
from tinycerb.bench.report_pages import REPORT_PAGES
from tinycerb.datasets import DATASETS, split_data
from tinycerb.datasets.images import LabelledImages
from tinycerb.datasets.query_pools import QUERY_POOLS, QueryPool
from tinycerb.defenses import DEFENSES
from tinycerb.defenses.base import SHARED
from tinycerb.options import check_options, option
from tinycerb.training.backbones import BACKBONES


@DEFENSES.register("entropy")
@dataclass(frozen=True)
class Entropy:
    """Keeps the posterior off the task flat: maximises its entropy there."""

    strength: float = option(0.5, "weight of the entropy", 0)

    heads = 1
    selection = "fixed"
    architecture = SHARED
    uses_out_of_distribution = True
    teachers = ""
    projects_conflicts = False
    after_training = ()
    preference = 0

    def __post_init__(self):
        check_options(self)

    def weight(self, epoch):
        """The same throughout."""
        return self.strength

    def prepare(self, context):
        """Returns the term."""
        import tensorflow as tf

        def terms(batch):
            logs = tf.nn.log_softmax(batch.other_logits[0])
            return [tf.reduce_mean(tf.reduce_sum(tf.exp(logs) * logs, axis=-1))]

        return terms


@RESPONSES.register("halves")
@dataclass(frozen=True)
class Halves(Response):
    """Says of every class but the first best what it says of their mean."""

    name = "halves"

    label: int = option(200, "the label's code", 128, 255)

    def __post_init__(self):
        check_options(self)

    def __call__(self, codes):
        """Returns such codes."""
        rows, classes = codes.shape
        rest = 256 - self.label
        answers = np.full(codes.shape, rest // (classes - 1), np.int64)
        top = codes.argmax(axis=1)
        answers[np.arange(rows), top] = 0
        answers[np.arange(rows), top] = 256 - answers.sum(axis=1)
        return answers.astype(np.uint8)

    def device(self, classes):
        """Returns the same in C."""
        source = Path(__file__).with_suffix(".c").read_text()
        return (ResponseStep("my_halves", {"label": self.label}, source=source),)


@ATTACKS.register("first_asked")
@dataclass(frozen=True)
class FirstAsked:
    """Asks about random images and distils the answers, as the simplest thief does."""

    check = staticmethod(check_distinct)

    def run(self, inputs):
        """Runs the attack."""
        from tinycerb.attacks.building_blocks.distill import distill, settings_of

        images = choose_images(inputs)
        answers = inputs.oracle.query(images)
        distill(
            inputs.build_members(),
            images,
            answers,
            settings_of(inputs),
            inputs.seed,
            inputs.on_epoch,
            inputs.on_progress,
        )


@STUDENTS.register("one_layer")
def one_layer(image_shape, classes):
    """Logistic regression."""
    from tinycerb.keras_models.legacy import keras

    image = keras.layers.Input(image_shape)
    return keras.Model(image, keras.layers.Dense(classes)(keras.layers.Flatten()(image)))


@BACKBONES.register("two_layers")
def two_layers(image_shape, width):
    """A strided convolution and a mean, for the smallest of images."""
    from tinycerb.keras_models.legacy import keras

    image = keras.layers.Input(image_shape, name="image")
    x = keras.layers.Conv2D(round(8 * width), 3, 2, padding="same", use_bias=False, name="conv")(image)
    x = keras.layers.ReLU(name="relu")(keras.layers.BatchNormalization(name="norm")(x))
    return keras.Model(image, keras.layers.GlobalAveragePooling2D(name="mean")(x), name="two_layers")


def _stripes(count, seed):
    """Images of 8x8 whose stripes stand or lie, uint8 [count, 8, 8, 1], and which of both, int64 [count]."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    lines = rng.integers(0, 256, (count, 8, 1))
    images = np.where(labels[:, None, None] == 1, np.swapaxes(lines, 1, 2), lines) * np.ones((1, 8, 8))
    return images.astype(np.uint8)[..., np.newaxis], labels


@DATASETS.register("stripes")
def stripes(config):
    """Stripes that stand or lie, drawn by a program."""
    train, test = LabelledImages(*_stripes(400, 1)), LabelledImages(*_stripes(100, 2))
    return split_data(config, "my_parts", ("lying", "standing"), train, test)


QUERY_POOLS.register("noise")(
    QueryPool(
        lambda dataset: np.random.default_rng(3).integers(0, 256, (200, *dataset.image_shape), dtype=np.uint8),
        "T1",
        "noise, all distinct images",
    )
)


@REPORT_PAGES.register("sizes")
def sizes(metrics):
    """A page with the bytes of every victim's file."""
    from tinycerb.reports.style import new_page

    page = new_page("Sizes", "Bytes of the int8 files")
    for line, (name, victim) in enumerate(metrics["victims"].items()):
        page.text(0.07, 0.85 - 0.03 * line, f"{name}: {victim['file']['flash_bytes']:,} bytes in flash")
    return [page]
