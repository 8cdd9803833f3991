"""Step time of TinyCerb's training beside a bare `tf_keras` fit: `make bench-training`.

Both see the same network and the same number of images per step, out-of-distribution ones included. Ours also
computes the diversity loss and holds channel masks. A second pair does the same with a whole recipe: the same
augmentation, AdamW, label smoothing and an average of weights on both sides, where fit has them as a layer and as
options of Keras' own. Rounds alternate, because a machine's speed drifts; the minima of processor time are compared:
both have one thread, and what else the machine does must not count.
"""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tinycerb.processes.variables import own_process
from tinycerb.training.setup import make_repeatable

BAR = 1.15
_IMAGES, _OTHER, _CLASSES = 128, 64, 10
_SHAPE = (28, 28, 1)
_AUGMENTATION = "flip+shift,pixels=3+cutout,size=6+brightness"
_WEIGHT_DECAY, _AVERAGE_DECAY, _SMOOTHING = 0.02, 0.998, 0.1


def main() -> None:
    """Prints both times and their ratio, for plain training and for a recipe; exit 1 above the bar."""
    own_process()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="demo_net")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--steps", type=int, default=20)
    wanted = parser.parse_args()
    make_repeatable(1)
    missed = False
    for with_recipe in (False, True):
        ours, bare = prepare(wanted.backbone, wanted.steps, with_recipe)
        best = interleaved([ours, bare], wanted.rounds)
        ours_ms, bare_ms = (1000 * seconds / wanted.steps for seconds in best)
        ratio = ours_ms / bare_ms
        missed |= ratio > BAR
        print(  # noqa: T201
            f"{wanted.backbone}, {_IMAGES} + {_OTHER} images per step, 3 heads, masks on, "
            f"{'with a recipe' if with_recipe else 'plain'}: TinyCerb {ours_ms:.1f} ms, bare fit {bare_ms:.1f} ms, "
            f"ratio {ratio:.3f} (bar {BAR})"
        )
    sys.exit(missed)


def interleaved(runs: list[Callable[[], None]], rounds: int) -> list[float]:
    """Returns the shortest processor time of each, in seconds; one unmeasured round compiles."""
    best = [float("inf")] * len(runs)
    for turn in range(rounds + 1):
        for index, run in enumerate(runs):
            start = time.process_time()
            run()
            if turn:
                best[index] = min(best[index], time.process_time() - start)
    return best


def prepare(backbone: str, steps: int, with_recipe: bool = False) -> tuple[Callable[[], None], Callable[[], None]]:
    """Returns our training and the bare fit, each of `steps` steps."""
    from tinycerb.compression.masks import ChannelMasks
    from tinycerb.datasets.images import LabelledImages
    from tinycerb.defenses.losses.diversity import cosine_log_sum_exp
    from tinycerb.keras_models import build_backbone
    from tinycerb.keras_models.legacy import keras
    from tinycerb.keras_models.multi_head import attach_heads
    from tinycerb.training.augmentation import parse_augmentation
    from tinycerb.training.objective import TrainingStep
    from tinycerb.training.optimizers import AdamW
    from tinycerb.training.recipe import Recipe
    from tinycerb.training.task_loss import TaskLoss

    rng = np.random.default_rng(0)
    count = steps * (_IMAGES + _OTHER)
    images = rng.integers(0, 256, (count, *_SHAPE), dtype=np.uint8)
    labels = rng.integers(0, _CLASSES, count).astype(np.int32)

    def network() -> keras.Model:
        return attach_heads(build_backbone(backbone, _SHAPE, 1.0), _CLASSES, heads=3)

    model = network()
    masks = ChannelMasks(model, 0.5, 1, steps)
    terms = lambda batch: [cosine_log_sum_exp(batch.other_logits)]  # noqa: E731
    recipe = Recipe()
    if with_recipe:
        loss = TaskLoss(label_smoothing=_SMOOTHING)
        recipe = Recipe(AdamW(_WEIGHT_DECAY), parse_augmentation(_AUGMENTATION), loss, _AVERAGE_DECAY)
    step = TrainingStep(model, terms, LabelledImages(images, labels), images, masks, recipe=recipe)

    def ours() -> None:
        for number in range(1, steps + 1):
            chosen, other = (rng.integers(0, count, size).astype(np.int32) for size in (_IMAGES, _OTHER))
            step(chosen, other, 1e-3, 1.0, np.array([1, number], np.int32))
            masks.update(number)

    plain: Any = network()
    answers: Any = [labels] * 3
    if with_recipe:
        plain = _augmented(plain)
        optimizer = keras.optimizers.AdamW(
            weight_decay=_WEIGHT_DECAY, use_ema=True, ema_momentum=_AVERAGE_DECAY, ema_overwrite_frequency=None
        )
        losses = [keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=_SMOOTHING) for _ in range(3)]
        answers = [np.eye(_CLASSES, dtype=np.float32)[labels]] * 3
    else:
        optimizer = keras.optimizers.Adam()
        losses = [keras.losses.SparseCategoricalCrossentropy(from_logits=True) for _ in range(3)]
    plain.compile(optimizer, losses)
    scaled = images.astype(np.float32) / 255

    def bare() -> None:
        plain.fit(scaled, answers, batch_size=_IMAGES + _OTHER, epochs=1, verbose=0)

    return ours, bare


def _augmented(model: Any) -> Any:
    """Returns a model whose first layer augments, as Keras' own preprocessing layers do."""
    import tensorflow as tf

    from tinycerb.keras_models.legacy import keras
    from tinycerb.training.augmentation import augment, parse_augmentation

    chain = parse_augmentation(_AUGMENTATION)

    class Augmenting(keras.layers.Layer):
        def build(self, input_shape: object) -> None:
            self.count = self.add_weight(name="count", dtype=tf.int32, trainable=False, initializer="zeros")

        def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
            if not training:
                return inputs
            # Out-of-distribution images stay as they are, here as there.
            self.count.assign_add(1)
            changed = augment(chain, inputs[:_IMAGES], tf.stack([1, self.count]))
            return tf.concat([changed, inputs[_IMAGES:]], axis=0)

    image = keras.layers.Input(_SHAPE)
    return keras.Model(image, model(Augmenting()(image)))


if __name__ == "__main__":
    main()
