"""A thousand mutants through lowering, C source and execution; thousands more by `make fuzz`.

A machine without clang runs it: gcc's sanitizers find what is to be found here.
"""

from pathlib import Path

import numpy as np
import pytest

from tests.firmware.flatbuffer_model import FlatModel
from tests.fuzz.fuzz_lowering import Runner, difference, fuzz, mutant
from tinycerb.converters.c_model.model import lower_model
from tinycerb.converters.model_file import parse_model

MUTANTS = 1000


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the sanitised runtime stands, compiled once."""
    return tmp_path_factory.mktemp("lowering")


def test_mutants_are_refused_in_a_sentence_or_give_the_bytes_of_the_reference(folder: Path) -> None:
    outcome = fuzz(range(MUTANTS), folder)
    print(outcome)  # noqa: T201
    assert outcome.faults == {}
    assert outcome.tried == MUTANTS
    assert outcome.accepted == outcome.equal
    # Enough of both, or the damage is too weak or too strong to show anything.
    assert outcome.equal > MUTANTS // 8
    assert len(outcome.refused) > 100


def _two_layers() -> bytes:
    flat = FlatModel()
    source = flat.tensor([1, 64], [0.1], [0])
    doubled = flat.operator("RELU", [source], flat.tensor([1, 64], [0.05], [0]))
    result = flat.operator("ADD", [doubled, source], flat.tensor([1, 64], [0.2], [0]), "AddOptions")
    return flat.finish([source], result)


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("", "", ""),
        (".count = 64", ".count = 100000", "AddressSanitizer: global-buffer-overflow"),
        (".first_zero_point = 0", ".first_zero_point = -2147483647", "signed integer overflow"),
        ("    0, 0, 0,", "    9, 0, 0,", "bytes differ"),
        (".count = 64", ".counts = 64", "has no member named"),
    ],
)
def test_the_harness_notices(folder: Path, tmp_path: Path, right: str, wrong: str, told: str) -> None:
    """Wrong C on purpose: a read outside, undefined arithmetic, one wrong byte in a table, what does not compile."""
    runner, content = Runner(folder), _two_layers()
    assert runner.prepare(content, lower_model(parse_model(content), "host"), 0, tmp_path) == ""
    source = (tmp_path / "model.c").read_text()
    assert right in source
    (tmp_path / "model.c").write_text(source.replace(right, wrong, 1))
    assert runner.reference([tmp_path]) == [""]
    end = runner.compile(tmp_path) or runner.run([tmp_path], "host")[0] or difference(tmp_path)
    assert told in end
    assert bool(end) == bool(told)


def test_a_mutant_is_the_same_everywhere() -> None:
    first = [mutant(number) for number in range(20)]
    assert first == [mutant(number) for number in range(20)]
    assert len(set(first)) == 20
    assert all(len(np.frombuffer(content, np.uint8)) for content in first)
