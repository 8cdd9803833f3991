"""The first page's texts."""

from typing import Any

import pytest

from tinycerb.reports.front_texts import provenance_lines

FACTS = {
    "packages": {"numpy": "1.26.4"}, "command": "tinycerb run", "created_utc": "2026-11-30 20:00:00", "seed": 1,
    "tinycerb": "0.1.0", "config_sha256_prefix": "00000000", "system": "Linux x86_64", "processor": "x", "cores": 2,
    "python": "3.11.7", "dataset": "user", "dataset_source": "signs.npz", "dataset_sha256": "0" * 64,
    "dataset_images": {"train": 3321, "validation": 600, "test": 12630},
}  # fmt: skip


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ({"dataset_split": "grouped"}, "600 validation (whole groups), 12,630 test"),
        ({"dataset_split": "random"}, "600 validation (drawn one by one), 12,630 test"),
        # Of a run that was measured before there were groups.
        ({}, "600 validation, 12,630 test"),
    ],
)
def test_it_says_how_validation_images_were_chosen(split: dict[str, str], words: str) -> None:
    metrics: Any = {"provenance": {**FACTS, **split}, "victims": {}}
    lines = provenance_lines(metrics)
    assert words in " ".join(" ".join(lines).split())


def test_the_name_of_the_data_is_whole() -> None:
    """Beside the longest words on how they were split."""
    data = {"dataset": "fashion_mnist", "dataset_source": "Debian package dataset-fashion-mnist"}
    metrics: Any = {"provenance": {**FACTS, **data, "dataset_split": "random"}, "victims": {}}
    told = " ".join(" ".join(provenance_lines(metrics)).split())
    assert "of fashion_mnist (Debian package dataset-fashion-mnist)" in told
