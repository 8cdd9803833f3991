"""Own images after what devices do to them: measured for every victim; a defence that reads their storage is told."""

import copy
from typing import cast

import numpy as np
import pytest

from tinycerb.bench.handling import HANDLINGS, measure_handling
from tinycerb.datasets.images import LabelledImages
from tinycerb.reports.facts import handling_sentences, verdict_sentences
from tinycerb.reports.metrics import Metrics
from tinycerb.reports.plain_words import plain_verdict
from tinycerb.seal.files import read_json


@pytest.fixture(scope="module")
def metrics(smoke_run) -> Metrics:
    return cast(Metrics, read_json(smoke_run.metrics))


def test_every_victim_of_a_run_is_measured(metrics) -> None:
    for name, victim in metrics["victims"].items():
        found = victim.get("handling", {})
        assert list(found) == ["nothing", *HANDLINGS]
        # Of a part of the test images.
        assert abs(found["nothing"] - victim["accuracy"]["accuracy_expected"]) < 0.05
        assert handling_sentences(metrics, name) == []


@pytest.mark.parametrize("channels", [1, 3])
def test_a_network_that_reads_what_jpeg_takes_is_found_out(channels: int) -> None:
    """Half of the images have one grey level that no JPEG file keeps; two heads, one of which looks for it."""
    images = np.random.default_rng(1).integers(0, 250, (400, 28, 28, channels), dtype=np.uint8)
    labels = np.arange(400) % 2
    images[labels == 1, 5:9:2, 5:9:2] = 255
    images[labels == 1, 6:9:2, 5:9:2] = 0

    def labelled(asked: np.ndarray) -> np.ndarray:
        marked = (asked[:, 5:9:2, 5:9:2] == 255).all(axis=(1, 2, 3)) & (asked[:, 6:9:2, 5:9:2] == 0).all(axis=(1, 2, 3))
        return np.stack([marked, np.zeros(len(asked))], axis=1).astype(int)

    found = measure_handling(labelled, LabelledImages(images, labels))
    assert found["nothing"] == 0.75
    # Next to none of the marks is left: the head that says one class alone is right on half.
    assert all(0.49 < found[way] < 0.53 for way in ("JPEG of quality 60", "JPEG of quality 90", "a softer focus"))


@pytest.mark.parametrize("shape", [(3, 49, 10, 1), (3, 28, 28, 2)])
def test_what_is_no_picture_is_left_out(shape) -> None:
    nothing = LabelledImages(np.zeros(shape, np.uint8), np.zeros(3, np.int64))
    assert measure_handling(lambda images: np.zeros((len(images), 1)), nothing) == {}


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
