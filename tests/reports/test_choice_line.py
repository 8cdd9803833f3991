"""The training page says which of several trainings was kept, and by what."""

import json
from typing import Any

from tests.reports.test_many_victims import clashes, drawn, texts_of
from tinycerb.atomic import read_json
from tinycerb.reports.pages import training


def test_the_training_page_says_which_was_kept_in_a_line(smoke_run) -> None:
    metrics: Any = json.loads(json.dumps(read_json(smoke_run.metrics)))
    (page, *_) = drawn(training.draw, metrics)
    assert not any("kept by" in text for text, _ in texts_of(page))
    for victim in metrics["victims"].values():
        victim["choice"] = {
            "keep": "best development clone", "keep_within": 1.0, "query_pool": "drawn-glyphs",
            "training_seed": 100_001,
            "candidates": [
                {"training_seed": seed, "validation_accuracy": own, "development_clone_accuracy": clone}
                for seed, own, clone in ((1, 0.9, 0.45), (100_001, 0.895, 0.412), (200_001, 0.88, 0.3))
            ],
        }  # fmt: skip
    (page, *_) = drawn(training.draw, metrics)
    words = [text for text, _ in texts_of(page)]
    assert (
        "cerberos: training 2 of 3 kept by the best development clone (clones 45.0% 41.2% 30.0%; themselves 90.0% "
        "89.5% 88.0%; validation images)"
    ) in words
    assert clashes(page) == []
    most = [{"training_seed": seed, "validation_accuracy": 1.0, "development_clone_accuracy": 1.0} for seed in range(8)]
    for victim in metrics["victims"].values():
        victim["choice"].update(candidates=most, training_seed=7)
    (page, *_) = drawn(training.draw, metrics)
    assert any(text.startswith("cerberos: training 8 of 8 kept by") for text, _ in texts_of(page))
    assert clashes(page) == []
