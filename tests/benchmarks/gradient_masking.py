"""How much slope an 8-bit model shows to finite differences: `make bench-gradients RUN=RUN`.

Takes a run of TinyCerb's and a victim with one head. At images half of which are noise, a random combination of the
centred log posteriors is differentiated along a random direction of length 1: exactly, in the float network that the
int8 file stands for, and by a forward difference of answers, of the float network and of the int8 file.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from tinycerb.attacks.building_blocks.finite_differences import unit_directions
from tinycerb.attacks.building_blocks.synthesis import centred_log
from tinycerb.conversion.trained_model import without_quantization
from tinycerb.datasets import load_dataset
from tinycerb.errors import UsageError
from tinycerb.oracle import OracleSpec, SealedOracle
from tinycerb.processes.variables import own_process
from tinycerb.run.directory import RunDirectory

STEPS = (1e-3, 1e-2, 1e-1, 0.5, 1.0, 2.0, 4.0)


def main() -> None:
    """Prints a table, one row per step."""
    own_process()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("victim", nargs="?", default="undefended")
    parser.add_argument("--images", type=int, default=2000)
    wanted = parser.parse_args()
    print("| step | float: correlation | int8: correlation | int8: size | int8: exactly 0 |")  # noqa: T201
    print("|---:|---:|---:|---:|---:|")  # noqa: T201
    for step, in_float, in_int8, size, zeros in measure(RunDirectory.open(wanted.run), wanted.victim, wanted.images):
        print(f"| {step:g} | {in_float:.2f} | {in_int8:.2f} | {size:.1f} | {zeros:.0%} |")  # noqa: T201


def measure(run: RunDirectory, victim: str, count: int) -> list[tuple[float, float, float, float, float]]:
    """Returns a row per step.

    Returns:
        The step; the correlation of the float network's finite differences with the true derivative; the int8 file's;
        root mean square of the latter over the true one's; share of exact zeros.
    """
    dataset = load_dataset(run.config.data)
    trained = without_quantization(run.config, dataset, run.victim(victim), 1)
    (head,) = trained.heads
    if head.hidden is not None:
        raise UsageError(f"{victim} has a hidden layer in its head; allowed: victims with model.head_units = 0")
    random = np.random.default_rng(1)
    images = dataset.validation.images[:count].astype(np.float32) / 510
    images += random.random(images.shape, np.float32) / 2
    along = unit_directions(random, images.shape)
    weights = unit_directions(random, (len(images), dataset.classes))

    def logits(points: np.ndarray | tf.Tensor) -> tf.Tensor:
        return tf.matmul(trained.backbone(points), head.kernel) + head.bias

    def of_float(points: np.ndarray) -> np.ndarray:
        # Centred logits are centred log posteriors.
        found = logits(points).numpy()
        return ((found - found.mean(axis=1, keepdims=True)) * weights).sum(axis=1)

    true = _true_derivative(logits, images, along, weights)
    with SealedOracle(OracleSpec(str(run.model(victim)), "probs", "fixed", 1)) as oracle:

        def of_int8(points: np.ndarray) -> np.ndarray:
            answers = oracle.query(np.clip(np.rint(points * 255), 0, 255).astype(np.uint8))
            return (centred_log(answers).numpy() * weights).sum(axis=1)

        return [_row(step, true, images, along, of_float, of_int8) for step in STEPS]


def _row(
    step: float,
    true: np.ndarray,
    images: np.ndarray,
    along: np.ndarray,
    *values: Callable[[np.ndarray], np.ndarray],
) -> tuple[float, float, float, float, float]:
    in_float, in_int8 = ((value(images + step * along) - value(images)) / step for value in values)
    correlations = [float(np.corrcoef(slopes, true)[0, 1]) if slopes.any() else 0.0 for slopes in (in_float, in_int8)]
    size = float(np.sqrt((in_int8**2).mean() / (true**2).mean()))
    return step, correlations[0], correlations[1], size, float((in_int8 == 0).mean())


def _true_derivative(
    logits: Callable[[tf.Tensor], tf.Tensor], images: np.ndarray, along: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    points = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(points)
        found = logits(points)
        combined = tf.reduce_sum((found - tf.reduce_mean(found, axis=1, keepdims=True)) * weights)
    gradient = tf.convert_to_tensor(tape.gradient(combined, points))
    return (gradient.numpy() * along).sum(axis=(1, 2, 3))


if __name__ == "__main__":
    main()
