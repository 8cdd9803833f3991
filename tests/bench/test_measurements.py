"""The figures of a finished run hang together."""

import numpy as np
import pytest

from tinycerb.atomic import read_json


@pytest.fixture(scope="module")
def metrics(smoke_run) -> dict:
    return read_json(smoke_run.metrics)


def test_accuracy_figures_agree_with_each_other(metrics) -> None:
    for victim in metrics["victims"].values():
        accuracy = victim["accuracy"]
        heads = accuracy["accuracy_per_head"]
        assert accuracy["test_images"] == 400
        assert accuracy["accuracy_expected"] == pytest.approx(np.mean(heads))
        assert accuracy["accuracy_worst_head"] == min(heads)
        confusion = np.array(accuracy["confusion_expected"])
        assert confusion.sum() == pytest.approx(400, abs=0.1)
        assert np.trace(confusion) / 400 == pytest.approx(accuracy["accuracy_expected"], abs=1e-3)
        assert np.diag(accuracy["head_agreement"]).tolist() == [1.0] * victim["heads"]


def test_one_head_never_flips_and_several_flip_as_often_as_they_disagree(metrics) -> None:
    accuracy = {name: victim["accuracy"] for name, victim in metrics["victims"].items()}
    assert accuracy["undefended"]["flip_rate"] == 0
    disagreement = 1 - np.mean(accuracy["cerberos"]["head_agreement"])
    assert accuracy["cerberos"]["flip_rate"] == pytest.approx(disagreement, abs=1e-9)


def test_sizes_are_those_of_the_files(metrics, smoke_run) -> None:
    for name, victim in metrics["victims"].items():
        assert victim["file"]["flash_bytes"] == smoke_run.model(name).stat().st_size
    assert metrics["victims"]["undefended"]["file"]["flash_share_of_baseline"] == 1.0


def test_latency_is_ordered(metrics) -> None:
    for victim in metrics["victims"].values():
        for kernels in ("optimised", "reference"):
            times = victim["latency"][kernels]
            assert 0 < times["latency_us_min"] <= times["latency_us_p50"] <= times["latency_us_p90"]
            assert times["invokes"] == 15


def test_every_section_with_numbers_says_how_they_came_about(metrics) -> None:
    for victim in metrics["victims"].values():
        for section in ("training", "file", "accuracy", "memory", "latency", "optimised_kernels"):
            assert victim[section]["basis"] in ("measured", "estimated")
        assert all(cell["basis"] == "measured" for cell in victim["cells"])


def test_provenance_names_data_versions_and_seed(metrics) -> None:
    facts = metrics["provenance"]
    assert facts["packages"]["tflite-runtime"] == "2.14.0"
    assert facts["seed"] == 1
    assert len(facts["dataset_sha256"]) == 64
    assert facts["dataset_split"] == "random"
    assert "smoke" in facts["command"]


def test_calibration_error(run_child) -> None:
    code = """
import numpy as np
from tinycerb.bench.accuracy import calibration_error
sure = np.zeros((100, 1, 2), np.uint8)
sure[..., 0] = 255
for right in (np.ones((100, 1), bool), np.zeros((100, 1), bool)):
    print(round(calibration_error(sure, right), 3))
"""
    assert run_child(code).split() == ["0.004", "0.996"]
