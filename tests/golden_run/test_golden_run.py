"""The golden run covers all that is registered, and its comparison notices what it is for."""

import pytest

from tests.golden_run.__main__ import differences, names_in, result_digest, tensor_digest
from tinycerb.answers.responses import RESPONSES
from tinycerb.attacks import ATTACKS
from tinycerb.defenses import DEFENSES

# Responses that stand in a file because its training part has put them there: their victims are trained so.
_OF_TRAINING_PARTS = {"am", "edm"}


def test_every_training_part_response_and_attack_is_in_it():
    used, attacks = names_in("defenses"), names_in("attacks")["attacks"]
    assert used["defenses"] == set(DEFENSES)
    assert used["responses"] | _OF_TRAINING_PARTS == set(RESPONSES)
    assert attacks == set(ATTACKS)


def test_differences_are_named():
    assert differences({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "9", "d": "4"}) == [
        "differs: b",
        "missing: c",
        "new: d",
    ]


def test_a_figure_counts_and_a_version_does_not():
    result = {"clone_accuracy": 0.5, "engine": {"runtime": "a"}}
    assert result_digest(result) == result_digest({**result, "engine": {"runtime": "b"}})
    assert result_digest(result) != result_digest({**result, "clone_accuracy": 0.51})


@pytest.mark.parametrize("name", ["fortress", "one_head_control"])
def test_one_changed_weight_changes_the_digest_of_a_file(name):
    from pathlib import Path

    content = bytearray((Path(__file__).parents[1] / "assets" / f"{name}.tflite").read_bytes())
    before = tensor_digest(bytes(content))
    assert tensor_digest(bytes(content)) == before
    # A weight in the middle of the file: constants are most of it.
    content[len(content) // 2] ^= 1
    assert tensor_digest(bytes(content)) != before
