"""A program as people write it: its own Keras is loaded, and nothing stands behind `if __name__ == "__main__"`."""

import json
import os
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import tf_keras

import tinycerb

with Path("started.txt").open("a") as log:
    log.write("once\n")
tf.zeros(())
before = dict(os.environ)

random = np.random.default_rng(0)
labels = np.arange(400) % 2
images = random.integers(0, 60, (400, 12, 12, 1), dtype=np.uint8)
# Bright above or below.
images[labels == 0, :6] += 180
images[labels == 1, 6:] += 180

layers = tf_keras.layers
model = tf_keras.Sequential(
    [layers.Input((12, 12, 1)), layers.Conv2D(8, 3, strides=3, activation="relu"), layers.Flatten(), layers.Dense(2)]
)
run = tinycerb.train(
    model=model,
    data=((images[:300], labels[:300]), (images[300:], labels[300:])),
    settings={
        "training": {
            "dense_epochs": 6,
            "pruning_epochs": 1,
            "recovery_epochs": 1,
            "quantization_epochs": 1,
            "batch_size": 16,
        },
        "victims": [{"name": "undefended"}],
        "bench.latency_rounds": 1,
    },
    out="runs/own",
    jobs=1,
)
tinycerb.convert(run)
found = tinycerb.evaluate(run)
answers = tinycerb.open(run).predict(images[300:])
facts = {
    "started": Path("started.txt").read_text().count("once"),
    "environment_kept": dict(os.environ) == before and "tflite_runtime" not in sys.modules,
    "keras": keras.__version__,
    "accuracy": float((answers.labels == labels[300:]).mean()),
    "measured": found["undefended"].accuracy,
    "flash_bytes": found["undefended"].flash_bytes,
}
print(json.dumps(facts))  # noqa: T201
