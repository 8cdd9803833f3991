"""The oracle's engine: the firmware's C on this computer, held against the reference kernels."""

import numpy as np

from tinycerb.atomic import read_json
from tinycerb.oracle import OracleSpec, SealedOracle

COMPARE = """
import os, sys, time
from pathlib import Path
import numpy as np
from tinycerb.runtimes.compiled_model import open_fastest
from tinycerb.runtimes.interpreter_model import open_interpreter
from tinycerb.runtimes.model_artifact import open_artifact
artifact = open_artifact(Path(sys.argv[1]))
compiled, reference = open_fastest(artifact), open_interpreter(artifact)
images = np.random.default_rng(3).integers(-128, 128, (300, *artifact.image_shape), dtype=np.int8)
seconds, tables = {}, {}
for name, model in (("compiled", compiled), ("reference", reference)) * 2:
    start = time.process_time()
    tables[name] = rows = model.all_heads(images)
    seconds[name] = min(time.process_time() - start, seconds.get(name, 9e9))
differing = int((tables["compiled"] != tables["reference"]).sum())
os.environ["PATH"] = ""
print(compiled.engine.runtime, differing, rows.shape, len(np.unique(rows)) > 20,
      seconds["reference"] / seconds["compiled"] >= 3, open_fastest(artifact).engine.runtime, sep="|")
"""


def test_it_gives_the_reference_s_bytes_three_times_as_fast_and_gives_way_without_a_compiler(
    smoke_run, run_child
) -> None:
    for victim, heads in (("undefended", 1), ("cerberos", 3)):
        found = run_child(COMPARE, smoke_run.model(victim)).strip()
        assert found == f"tinycerb-c|0|(300, {heads}, 10)|True|True|tflite-runtime"


def test_cells_say_which_engine_answered(smoke_run) -> None:
    cells = [read_json(path) for path in sorted((smoke_run.path / "cells").glob("*.json"))]
    assert len(cells) > 2
    assert {cell["result"]["engine"]["runtime"] for cell in cells} == {"tinycerb-c"}


def test_keyed_heads_answer_repeated_questions_alike(smoke_run) -> None:
    images = np.random.default_rng(5).integers(0, 256, (40, 28, 28, 1), dtype=np.uint8)
    answers = {}
    for seed in (1, 2):
        with SealedOracle(OracleSpec(str(smoke_run.model("cerberos")), "probs", "keyed", seed)) as oracle:
            answers[seed] = oracle.query(images)
            assert (oracle.query(images) == answers[seed]).all()
    assert (answers[1] != answers[2]).any(), "devices with different secrets draw different heads"
