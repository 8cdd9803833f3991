"""libFuzzer on what the firmware reads, TINYCERB_FUZZ_SECONDS for each target; part of `make fuzz`."""

import os
import shutil
from pathlib import Path

import pytest

from tests.fuzz.test_c_fuzz import HERE, SANITIZERS, TARGETS, compile_target, run

SECONDS = int(os.environ.get("TINYCERB_FUZZ_SECONDS", "60"))


@pytest.mark.parametrize("target", TARGETS)
def test_fuzzing_finds_nothing(tmp_path: Path, target: str) -> None:
    clang = shutil.which("clang")
    assert clang is not None, "clang is not installed; install it with: sudo apt-get install -y clang"
    program = compile_target(target, tmp_path, clang, f"{SANITIZERS},fuzzer", ())
    found = tmp_path / "found"
    found.mkdir()
    limits = [f"-max_total_time={SECONDS}", "-timeout=10", "-max_len=1024", f"-artifact_prefix={tmp_path}/"]
    told = run([str(program), *limits, str(found), str(HERE / "corpus" / target)], cwd=tmp_path)
    print(told.strip().splitlines()[-1])  # noqa: T201
    assert "Done" in told
