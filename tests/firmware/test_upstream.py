"""`make bench-upstream`, as far as it goes without TFLite Micro's sources, which no package holds."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.upstream import Row, _line
from tests.firmware.networks import MLPERF_TINY
from tests.firmware.upstream_build import Upstream, _registrations
from tinycerb.converters.model_file import parse_model

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("given", [[], ["TFLM=x"], ["CMSIS_NN=x"]])
def test_trees_are_asked_for(given: list[str]) -> None:
    # Before anything is installed. `make test` hands its level and its variables down.
    own = {name: value for name, value in os.environ.items() if name not in {"MAKELEVEL", "MAKEFLAGS", "MFLAGS"}}
    command = ["make", "bench-upstream", *given]
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "make bench-upstream TFLM=../tflite-micro CMSIS_NN=../CMSIS-NN" in done.stderr


@pytest.mark.parametrize("place", ["third_party", "tensorflow/lite/micro/tools/make/downloads"])
def test_what_tflite_micro_needs_is_found_where_its_tools_put_it(tmp_path: Path, place: str) -> None:
    upstream = Upstream(tmp_path, None)
    # A clone has folders of these names with build files alone.
    for name in ("flatbuffers", "ruy"):
        (tmp_path / "third_party" / name).mkdir(parents=True)
        (tmp_path / "third_party" / name / "BUILD").touch()
    with pytest.raises(SystemExit, match=r"has no flatbuffers; get it with: make -C .* third_party_downloads"):
        upstream.includes()
    for header in (
        "flatbuffers/include/flatbuffers/flatbuffers.h", "gemmlowp/fixedpoint/fixedpoint.h",
        "ruy/ruy/profiler/instrumentation.h",
    ):  # fmt: skip
        (tmp_path / place / header).parent.mkdir(parents=True)
        (tmp_path / place / header).touch()
    found = [path.relative_to(tmp_path) for path in upstream.includes()]
    assert found == [Path(), Path(place) / "flatbuffers/include", Path(place) / "gemmlowp", Path(place) / "ruy"]


def test_their_smallest_registrations_are_taken(tmp_path: Path) -> None:
    file = parse_model(MLPERF_TINY["resnet8"]())
    text = _registrations(file, Upstream(tmp_path, tmp_path))
    assert "MicroMutableOpResolver<6>" in text
    assert "resolver.AddConv2D(tflite::Register_CONV_2D_INT8()) == kTfLiteOk" in text
    assert "resolver.AddReshape() == kTfLiteOk" in text
    assert "tflite::Register" not in _registrations(file, Upstream(tmp_path, None))


def test_a_line_tells_the_ratio_and_the_bytes_that_differ() -> None:
    own = Row(np.arange(4, dtype=np.int8).tobytes(), 1_000, 1_500.0, 10, 20, 30)
    theirs = Row(np.array([0, 1, 2, 4], np.int8).tobytes(), 2_000, None, 11, 21, 31)
    assert _line("net", "qemu-m4", 500, own, own, "TinyCerb") == (
        "| net | qemu-m4 | TinyCerb | 1,000 | 1,500 (3.00) | 10 | 20 | 30 | 0 of 4 |\n"
    )
    assert _line("net", "qemu-m4", 500, theirs, own, "cmsis-nn") == (
        "| net | qemu-m4 | cmsis-nn | 2,000 (0.500x) | - | 11 | 21 | 31 | 1 of 4 |\n"
    )
