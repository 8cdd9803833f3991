"""The committed file of the preset `fortress`: what it does, and what it costs beside CERBEROS of as many heads."""

import json
from pathlib import Path

import pytest

ASSETS = Path(__file__).parents[1] / "assets"
FORTRESS, CERBEROS = ASSETS / "fortress.tflite", ASSETS / "cerberos_demo.tflite"
MEASURE = """
import json, sys
from pathlib import Path
import numpy as np
from tinycerb.answers.answering import Answers
from tinycerb.compiled_model import open_fastest
from tinycerb.config import load_config
from tinycerb.datasets import load_dataset
from tinycerb.datasets.procedural import generate
config = load_config("fortress")
model, dataset = open_fastest(Path(sys.argv[1])), load_dataset(config.data)
images = model.quantize(dataset.test.images)
labels = Answers(model).of_all(images, model.all_heads(images)).argmax(axis=2)[:, 0]
unseen = generate(["dead_leaves", "glyphs"], 2000, dataset.train.images, 5)
quantized = model.quantize(unseen)
apart = Answers(model).of_all(quantized, model.all_heads(quantized)).argmax(axis=2)[:, 0]

# After tflite-runtime, which TensorFlow must not precede.
from keras_models.legacy import keras
from tinycerb.attacks.students import STUDENTS
keras.utils.set_random_seed(1)
honest = STUDENTS["lenet"](dataset.image_shape, dataset.classes)
honest.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
honest.fit(dataset.train.images / np.float32(255), dataset.train.labels, batch_size=128, epochs=2, verbose=0)
logits = honest.predict(unseen / np.float32(255), verbose=0)
sure = np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1) < 1 / 0.9
print(json.dumps({
    "metadata": {key: model.metadata[key] for key in ("heads", "selection", "response")},
    "accuracy": float((labels == dataset.test.labels).mean()),
    "sure": int(sure.sum()),
    "agree_off_task": float((apart == logits.argmax(axis=1))[sure].mean()),
    "trained_on": list(config.out_of_distribution.families),
}))
"""


def test_it_keeps_the_task_and_misdirects_off_it(run_apart) -> None:
    found = json.loads(run_apart(MEASURE, FORTRESS).splitlines()[-1])
    assert found["metadata"] == {"heads": 1, "selection": "fixed", "response": "top1"}
    assert found["accuracy"] > 0.89
    assert not {"dead_leaves", "glyphs"} & set(found["trained_on"])
    # An undefended network says what another honest one says, where that one is sure, far more often than by chance.
    assert found["sure"] > 300
    assert found["agree_off_task"] < 0.1


@pytest.mark.parametrize("command", ["bench", "flash"])
def test_the_emulated_m4_runs_it(cli, command: str) -> None:
    done = cli(command, FORTRESS, "--board", "qemu-m4")
    assert done.returncode == 0, done.stderr


def test_the_device_pays_nothing_beyond_the_heads(cli) -> None:
    instructions = []
    for path in (FORTRESS, CERBEROS):
        done = cli("bench", path, "--board", "qemu-m4", "--json")
        assert done.returncode == 0, done.stderr
        facts = json.loads(done.stdout)
        instructions.append(sum(facts[f"{part}_instructions"] for part in ("draw", "inference", "answer")))
    assert instructions[0] <= 1.01 * instructions[1]
    assert FORTRESS.stat().st_size <= 1.01 * CERBEROS.stat().st_size
