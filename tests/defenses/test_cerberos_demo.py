"""CERBEROS as `make demo` trains it: its heads agree on the task and disagree on families that they never saw."""

from pathlib import Path

import numpy as np

from tinycerb.answers.answering import Answers
from tinycerb.bench.coherence import measure_coherence, pairwise_coherence
from tinycerb.compiled_model import open_fastest
from tinycerb.config import load_config
from tinycerb.datasets import load_dataset

FILE = Path(__file__).parents[1] / "assets/cerberos_demo.tflite"


def test_heads_agree_on_the_test_set() -> None:
    model, dataset = open_fastest(FILE), load_dataset(load_config("demo").data)
    images = model.quantize(dataset.test.images)
    codes = Answers(model).of_all(images, model.all_heads(images))
    labels = codes.argmax(axis=2)
    pairs = [(labels[:, one] == labels[:, other]).mean() for one, other in ((0, 1), (0, 2), (1, 2))]
    assert min(pairs) >= 0.95, pairs
    # They agree on what is right, not on anything.
    assert (labels == dataset.test.labels[:, np.newaxis]).mean() > 0.88


def test_heads_disagree_on_families_that_were_held_out() -> None:
    config = load_config("demo")
    found = measure_coherence(open_fastest(FILE), config, load_dataset(config.data))
    assert found is not None
    unseen = found["held_out"]
    assert not set(unseen["families"]) & set(config.out_of_distribution.families)
    assert unseen["cosine"] <= 0.5
    assert unseen["label_agreement"] <= 0.5


def test_the_measure_would_notice_heads_that_agree() -> None:
    """The same figures for three copies of one head."""
    config = load_config("demo")
    model = open_fastest(FILE)
    images = model.quantize(load_dataset(config.data).test.images[:500])
    codes = Answers(model).of_all(images, model.all_heads(images))
    copies = np.repeat(codes[:, :1], 3, axis=1)
    assert pairwise_coherence(copies)["label_agreement"] == 1
    assert pairwise_coherence(codes)["label_agreement"] < 1
