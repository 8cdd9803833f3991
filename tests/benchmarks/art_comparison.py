"""An independent attacker: ART's KnockoffNets beside ours, on the same victim, pool, budget and student.

make bench-art RUN=RUN VICTIM=undefended ARGS="--queries 3000 --epochs 8 --seeds 3"

Prints one JSON object: stolen accuracies of both for each seed, their means, and seconds.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from art.attacks.extraction import KnockoffNets
from art.estimators.classification import BlackBoxClassifier, TensorFlowV2Classifier

from tests.benchmarks.attack_figures import inputs_for
from tinycerb.attacks import attack_of
from tinycerb.attacks.building_blocks.students import STUDENTS
from tinycerb.config import AttackConfig
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import Dataset
from tinycerb.datasets.query_pools import query_pool
from tinycerb.keras_models.legacy import keras
from tinycerb.oracle import OracleSpec, SealedOracle
from tinycerb.processes.variables import own_process
from tinycerb.run.directory import RunDirectory
from tinycerb.training.setup import make_repeatable


def ours(oracle: SealedOracle, dataset: Dataset, config: AttackConfig, seed: int) -> tuple[np.ndarray, float]:
    """Returns the labels of our clone on the test images, and the seconds of questions and training."""
    predictors = []
    inputs = inputs_for(oracle, dataset, config, seed, lambda epoch, predict: predictors.append(predict))
    started = time.monotonic()
    attack_of(config).run(inputs)
    seconds = time.monotonic() - started
    return predictors[-1](dataset.test.images).argmax(axis=1), seconds


def theirs(oracle: SealedOracle, dataset: Dataset, config: AttackConfig, seed: int) -> tuple[np.ndarray, float]:
    """The same by ART: its choice of images, its questions, its loop, with a traced step of Adam's cosine."""
    pool = query_pool(config.query_pool).load(dataset).astype(np.float32) / 255
    # ART draws from NumPy's global generator.
    np.random.seed(seed)
    student = STUDENTS[config.students[0]](dataset.image_shape, dataset.classes)
    steps = config.epochs * -(-config.budget // config.batch_size)
    rates: Any = keras.optimizers.schedules.CosineDecay(config.learning_rates[0], steps)
    optimizer = keras.optimizers.Adam(rates)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)

    @tf.function(reduce_retracing=True)
    def train_step(model, images, answers):
        with tf.GradientTape() as tape:
            mean = loss(answers, model(images, training=True))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(mean, variables), variables, strict=True))

    def ask(images: np.ndarray) -> np.ndarray:
        return oracle.query(np.rint(images * 255).astype(np.uint8))

    facts = {"input_shape": dataset.image_shape, "nb_classes": dataset.classes, "clip_values": (0, 1)}
    victim = BlackBoxClassifier(ask, **facts)
    thief = TensorFlowV2Classifier(model=student, loss_object=loss, train_step=train_step, **facts)
    started = time.monotonic()
    clone = KnockoffNets(
        victim,
        batch_size_fit=config.batch_size,
        batch_size_query=250,
        nb_epochs=config.epochs,
        nb_stolen=config.budget,
        sampling_strategy="random",
        use_probability=True,
        verbose=False,
    ).extract(pool, thieved_classifier=thief)
    seconds = time.monotonic() - started
    return clone.predict(dataset.test.images.astype(np.float32) / 255).argmax(axis=1), seconds


def compare(run: RunDirectory, victim: str, queries: int, epochs: int, seeds: int) -> dict:
    """Runs both with every seed; returns accuracies, their means, and seconds."""
    dataset = load_dataset(run.config.data)
    config = AttackConfig("knockoff", budget=queries, epochs=epochs, students=("lenet",))
    rows: dict[str, dict[str, list[float]]] = {}
    for seed in range(1, seeds + 1):
        # In turns: who comes first has the cold start, and that is nobody's merit.
        attackers = (("art", theirs), ("tinycerb", ours))
        for name, attacker in attackers if seed % 2 else attackers[::-1]:
            make_repeatable(seed)
            with SealedOracle(OracleSpec(str(run.model(victim)), "probs", "fixed", seed)) as oracle:
                assert oracle.engine
                labels, seconds = attacker(oracle, dataset, config, seed)
                assert oracle.charged == queries
            row = rows.setdefault(name, {"accuracies": [], "seconds": []})
            row["accuracies"].append(round(float((labels == dataset.test.labels).mean()), 4))
            row["seconds"].append(round(seconds, 2))
    means = {name: float(np.mean(row["accuracies"])) for name, row in rows.items()}
    ratio = sum(rows["art"]["seconds"]) / sum(rows["tinycerb"]["seconds"])
    return {**rows, "mean_accuracy": means, "times_as_fast": round(ratio, 2), "queries": queries, "epochs": epochs}


def main() -> None:
    own_process()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("victim")
    for name, default in (("queries", 3000), ("epochs", 8), ("seeds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    print(json.dumps(compare(RunDirectory.open(given.run), given.victim, given.queries, given.epochs, given.seeds)))  # noqa: T201


if __name__ == "__main__":
    main()
