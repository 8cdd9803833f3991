"""The committed file of the preset `fortress`: what it does, and what it costs beside one head without a defence."""

import json
from pathlib import Path

import pytest

ASSETS = Path(__file__).parents[1] / "assets"
FORTRESS, CONTROL = ASSETS / "fortress.tflite", ASSETS / "one_head_control.tflite"
MEASURE = """
import json, sys
from pathlib import Path
import numpy as np
from tinycerb.runtimes.answering import Answers
from tinycerb.runtimes.compiled_model import open_fastest
from tinycerb.runtimes.model_artifact import open_artifact
from tinycerb.config import load_config
from tinycerb.datasets import load_dataset
from tinycerb.datasets.procedural import generate
config = load_config("fortress")
dataset = load_dataset(config.data)
unseen = generate(["dead_leaves", "glyphs"], 2000, dataset.train.images, 5)

def labels(model, images):
    codes = model.artifact.quantize(images)
    return Answers(model.artifact).of_all(codes, model.all_heads(codes)).argmax(axis=2)[:, 0]

fortress, control = (open_fastest(open_artifact(Path(path))) for path in sys.argv[1:])
accuracy = float((labels(fortress, dataset.test.images) == dataset.test.labels).mean())
off_task = {"fortress": labels(fortress, unseen), "control": labels(control, unseen)}

# After tflite-runtime, which TensorFlow must not precede.
from tinycerb.keras_models.legacy import keras
from tinycerb.attacks.building_blocks.students import STUDENTS
keras.utils.set_random_seed(1)
honest = STUDENTS["lenet"](dataset.image_shape, dataset.classes)
honest.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
honest.fit(dataset.train.images / np.float32(255), dataset.train.labels, batch_size=128, epochs=2, verbose=0)
logits = honest.predict(unseen / np.float32(255), verbose=0)
sure = np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1) < 1 / 0.9
print(json.dumps({
    "card": {key: fortress.artifact.card.to_json()[key] for key in ("heads", "selection", "response")},
    "accuracy": accuracy,
    "sure": int(sure.sum()),
    "agree": {name: float((said == logits.argmax(axis=1))[sure].mean()) for name, said in off_task.items()},
    "trained_on": list(config.out_of_distribution.families),
}))
"""


def test_it_keeps_the_task_and_misdirects_off_it(run_child) -> None:
    found = json.loads(run_child(MEASURE, FORTRESS, CONTROL).splitlines()[-1])
    assert found["card"] == {"heads": 1, "selection": "fixed", "response": "top1"}
    assert found["accuracy"] > 0.89
    assert not {"dead_leaves", "glyphs"} & set(found["trained_on"])
    # Where an honest network is sure, another honest one says the same far more often than by chance.
    assert found["sure"] > 300
    assert found["agree"]["control"] > 0.5
    assert found["agree"]["fortress"] < 0.1


@pytest.mark.parametrize("command", ["bench", "flash"])
def test_the_emulated_m4_runs_it(cli, command: str) -> None:
    done = cli(command, FORTRESS, "--board", "qemu-m4")
    assert done.returncode == 0, done.stderr


def test_the_device_pays_nothing_beyond_the_heads(cli) -> None:
    instructions = []
    for path in (FORTRESS, CONTROL):
        done = cli("bench", path, "--board", "qemu-m4", "--json")
        assert done.returncode == 0, done.stderr
        facts = json.loads(done.stdout)
        instructions.append(sum(facts[f"{part}_instructions"] for part in ("draw", "inference", "answer")))
    assert instructions[0] <= 1.01 * instructions[1]
    assert FORTRESS.stat().st_size <= 1.01 * CONTROL.stat().st_size
