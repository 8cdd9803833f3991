"""Own images after what devices do to them: measured for every victim; a defence that reads their storage is told."""

import copy
from typing import cast

import numpy as np
import pytest

from tinycerb.bench.handling import HANDLINGS, measure_handling
from tinycerb.datasets import load_dataset
from tinycerb.datasets.images import LabelledImages
from tinycerb.reports.facts import handling_sentences, verdict_sentences
from tinycerb.reports.metrics import Metrics
from tinycerb.reports.plain_words import plain_verdict
from tinycerb.runtimes.compiled_model import open_fastest
from tinycerb.runtimes.model_artifact import open_artifact
from tinycerb.seal.files import read_json


@pytest.fixture(scope="module")
def metrics(smoke_run) -> Metrics:
    return cast(Metrics, read_json(smoke_run.metrics))


def test_every_victim_of_a_run_is_measured(smoke_run, metrics) -> None:
    for name, victim in metrics["victims"].items():
        found = victim.get("handling", {})
        assert list(found) == ["nothing", *HANDLINGS]
        # Of a part of the test images.
        assert abs(found["nothing"] - victim["accuracy"]["accuracy_expected"]) < 0.05
        model = open_fastest(open_artifact(smoke_run.model(name)))
        assert measure_handling(model, load_dataset(smoke_run.config.data).test) == found
        assert handling_sentences(metrics, name) == []


def test_images_whose_labels_handling_takes_are_counted(smoke_run) -> None:
    """Noise that JPEG takes away, under labels that the network gives to the noise."""
    model = open_fastest(open_artifact(smoke_run.model("undefended")))
    images = np.random.default_rng(1).integers(0, 256, (400, 28, 28, 1), dtype=np.uint8)
    labels = model.all_heads(model.artifact.quantize(images)).argmax(axis=2)[:, 0]
    found = measure_handling(model, LabelledImages(images, labels))
    assert found["nothing"] == 1.0
    assert found["JPEG of quality 60"] < found["JPEG of quality 90"] <= 1
    assert min(found.values()) < 0.97


@pytest.mark.parametrize("shape", [(3, 49, 10, 1), (3, 28, 28, 2)])
def test_what_is_no_picture_is_left_out(shape, smoke_run) -> None:
    model = open_fastest(open_artifact(smoke_run.model("undefended")))
    assert measure_handling(model, LabelledImages(np.zeros(shape, np.uint8), np.zeros(3, np.int64))) == {}


def test_a_defence_that_reads_how_images_were_stored_is_told(metrics) -> None:
    changed = copy.deepcopy(metrics)
    baseline, guard = (changed["victims"][name].get("handling", {}) for name in ("undefended", "cerberos"))
    baseline.update(dict.fromkeys(baseline, 0.80), nothing=0.83)
    # Two points worse as they are: after a handling, seven more are within chance.
    guard.update(dict.fromkeys(guard, 0.731), nothing=0.81)
    assert handling_sentences(changed, "cerberos") == []
    guard.update({"JPEG of quality 90": 0.4, "JPEG of quality 60": 0.163})
    (told,) = handling_sentences(changed, "cerberos")
    assert told[0] == "bad"
    assert (
        "cerberos loses its own images after JPEG of quality 90 (40.0% right, undefended 80.0%) and JPEG of quality 60 "
        "(16.3% right, undefended 80.0%)."
    ) in told[1]
    assert told in plain_verdict(changed, "cerberos")
    assert told in verdict_sentences(changed)
    changed["victims"]["cerberos"]["handling"] = {}
    assert handling_sentences(changed, "cerberos") == []
