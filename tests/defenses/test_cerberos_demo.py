"""CERBEROS trained on four families: its heads agree on the task and disagree on families that they never saw."""

import json
from pathlib import Path

import pytest

FILE = Path(__file__).parents[1] / "assets/cerberos_demo.tflite"
FAMILIES = 'out_of_distribution.families=["silhouettes", "strokes", "spectral_noise", "patch_shuffle"]'
MEASURE = """
import json, sys
from pathlib import Path
import numpy as np
from tinycerb.runtimes.answering import Answers
from tinycerb.bench.coherence import measure_coherence, pairwise_coherence
from tinycerb.runtimes.compiled_model import open_fastest
from tinycerb.runtimes.model_artifact import open_artifact
from tinycerb.config import load_config
from tinycerb.datasets import load_dataset
config = load_config("demo", [sys.argv[2]])
model, dataset = open_fastest(open_artifact(Path(sys.argv[1]))), load_dataset(config.data)
images = model.artifact.quantize(dataset.test.images)
codes = Answers(model.artifact).of_all(images, model.all_heads(images))
labels = codes.argmax(axis=2)
pairs = [float((labels[:, one] == labels[:, other]).mean()) for one, other in ((0, 1), (0, 2), (1, 2))]
copies = pairwise_coherence(np.repeat(codes[:500, :1], 3, axis=1))
print(json.dumps({
    "pairs": pairs,
    "accuracy": float((labels == dataset.test.labels[:, np.newaxis]).mean()),
    "off_task": measure_coherence(model, config, dataset),
    "families": list(config.out_of_distribution.families),
    "copies_agree": copies["label_agreement"],
}))
"""


@pytest.fixture(scope="module")
def measured(run_child) -> dict:
    return json.loads(run_child(MEASURE, FILE, FAMILIES).splitlines()[-1])


def test_heads_agree_on_the_test_set(measured) -> None:
    assert min(measured["pairs"]) >= 0.95
    # They agree on what is right, not on anything.
    assert measured["accuracy"] > 0.88


def test_heads_disagree_on_families_that_were_held_out(measured) -> None:
    unseen = measured["off_task"]["held_out"]
    assert not set(unseen["families"]) & set(measured["families"])
    assert unseen["cosine"] <= 0.5
    assert unseen["label_agreement"] <= 0.5
    # Heads that are copies of one another would be noticed.
    assert measured["copies_agree"] == 1
