"""Step time of TinyCerb's training beside a bare `tf_keras` fit: `make bench-training`.

Both see the same network and the same number of images per step, out-of-distribution ones included. Ours also
computes the diversity loss and holds channel masks. Rounds alternate, because a machine's speed drifts; the minima are
compared.
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


def main() -> None:
    """Prints both times and their ratio; exit 1 above the bar."""
    own_process()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="demo_net")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--steps", type=int, default=20)
    wanted = parser.parse_args()
    make_repeatable(1)
    ours, bare = prepare(wanted.backbone, wanted.steps)
    best = interleaved([ours, bare], wanted.rounds)
    ours_ms, bare_ms = (1000 * seconds / wanted.steps for seconds in best)
    ratio = ours_ms / bare_ms
    print(  # noqa: T201
        f"{wanted.backbone}, {_IMAGES} + {_OTHER} images per step, 3 heads, masks on: TinyCerb {ours_ms:.1f} ms, "
        f"bare fit {bare_ms:.1f} ms, ratio {ratio:.3f} (bar {BAR})"
    )
    sys.exit(ratio > BAR)


def interleaved(runs: list[Callable[[], None]], rounds: int) -> list[float]:
    """Returns the shortest time of each, in seconds; one unmeasured round compiles."""
    best = [float("inf")] * len(runs)
    for turn in range(rounds + 1):
        for index, run in enumerate(runs):
            start = time.perf_counter()
            run()
            if turn:
                best[index] = min(best[index], time.perf_counter() - start)
    return best


def prepare(backbone: str, steps: int) -> tuple[Callable[[], None], Callable[[], None]]:
    """Returns our training and the bare fit, each of `steps` steps."""
    from tinycerb.compression.masks import ChannelMasks
    from tinycerb.datasets.images import LabelledImages
    from tinycerb.defenses.losses.diversity import cosine_log_sum_exp
    from tinycerb.keras_models import build_backbone
    from tinycerb.keras_models.legacy import keras
    from tinycerb.keras_models.multi_head import attach_heads
    from tinycerb.training.objective import TrainingStep

    rng = np.random.default_rng(0)
    count = steps * (_IMAGES + _OTHER)
    images = rng.integers(0, 256, (count, 28, 28, 1), dtype=np.uint8)
    labels = rng.integers(0, _CLASSES, count).astype(np.int32)

    def network() -> keras.Model:
        return attach_heads(build_backbone(backbone, (28, 28, 1), 1.0), _CLASSES, heads=3)

    model = network()
    masks = ChannelMasks(model, 0.5, 1, steps)
    terms = lambda batch: [cosine_log_sum_exp(batch.other_logits)]  # noqa: E731
    step = TrainingStep(model, terms, LabelledImages(images, labels), images, masks)

    def ours() -> None:
        for number in range(1, steps + 1):
            chosen, other = (rng.integers(0, count, size).astype(np.int32) for size in (_IMAGES, _OTHER))
            step(chosen, other, 1e-3, 1.0)
            masks.update(number)

    plain: Any = network()
    losses = [keras.losses.SparseCategoricalCrossentropy(from_logits=True) for _ in range(3)]
    plain.compile(keras.optimizers.Adam(), losses)
    scaled = images.astype(np.float32) / 255

    def bare() -> None:
        plain.fit(scaled, [labels] * 3, batch_size=_IMAGES + _OTHER, epochs=1, verbose=0)

    return ours, bare


if __name__ == "__main__":
    main()
