"""What the target tables promise: every operator of the C runtime runs on the other runtimes, to the same bytes."""

import json

import numpy as np
import pytest

from tests.firmware.flatbuffer_model import FlatModel
from tests.firmware.random_models import random_model
from tinycerb.converters.contract import contract_violations, load_target
from tinycerb.converters.known_operators import TINYCERB_OPERATOR, c_operators
from tinycerb.converters.model_file import ModelFile, parse_model

RUN = """
import json, sys
from pathlib import Path
import numpy as np
from tinycerb.converters.model_file import read_model_file
from tinycerb.runtimes.engines import ENGINES
answers = {}
for path in sorted(Path(sys.argv[1]).glob("*.tflite")):
    file = read_model_file(path)
    engine = ENGINES[sys.argv[2]](file, "reference", [])
    given = np.load(path.with_suffix(".npy"))
    inputs = {name: given[:1] if tensor.dtype == "int8" else np.array([1], np.int32)
              for name, tensor in file.inputs.items()}
    answers[path.stem] = [int(code) for output in engine.run(inputs).values() for code in output.ravel()]
print(json.dumps(answers))
"""


def reshaped() -> bytes:
    """EXPAND_DIMS and SQUEEZE, which random models do not hold."""
    flat = FlatModel()
    source = flat.tensor([1, 6], [0.1], [3])
    axis = flat.tensor([1], values=np.array([1], np.int32))
    wide = flat.operator("EXPAND_DIMS", [source, axis], flat.tensor([1, 1, 6], [0.1], [3]), "ExpandDimsOptions")
    narrow = flat.operator("SQUEEZE", [wide], flat.tensor([6], [0.1], [3]), "SqueezeOptions")
    shape = flat.tensor([2], values=np.array([1, 6], np.int32))
    return flat.finish(
        [source], flat.operator("RESHAPE", [narrow, shape], flat.tensor([1, 6], [0.1], [3]), "ReshapeOptions")
    )


@pytest.fixture(scope="module")
def files() -> dict[str, ModelFile]:
    contents = {f"random-{seed}": random_model(seed) for seed in range(16)} | {"reshaped": reshaped()}
    return {name: parse_model(content) for name, content in contents.items()}


def test_what_the_c_runtime_runs_convert_takes(files: dict[str, ModelFile]) -> None:
    """Every version that was run here is in the tables, and those of every operator are run here."""
    run: dict[str, int] = {}
    for operator in (operator for file in files.values() for operator in file.operators):
        run[operator.name] = max(run.get(operator.name, 0), operator.version)
    assert set(run) == c_operators() - {TINYCERB_OPERATOR}
    # Backbones hold a newer version of FULLY_CONNECTED: tests/runtimes/test_backbones.py.
    assert load_target("tflite-runtime-2-14") == run | {"FULLY_CONNECTED": 5}
    micro = load_target("tflite-micro")
    assert {**micro, "RELU6": 2} == run | {"FULLY_CONNECTED": 5}
    assert "RELU6" not in micro


def test_both_runtimes_give_the_same_bytes(files: dict[str, ModelFile], tmp_path, run_child) -> None:
    rng = np.random.default_rng(2)
    for name, file in files.items():
        (tmp_path / f"{name}.tflite").write_bytes(file.content)
        image = next(tensor for tensor in file.graph_inputs if tensor.dtype == "int8")
        np.save(tmp_path / f"{name}.npy", rng.integers(-128, 128, image.shape, dtype=np.int8))
    one, other = (json.loads(run_child(RUN, tmp_path, runtime)) for runtime in ("tflite-runtime", "tflite-micro"))
    differing = {name for name in files if one[name] != other[name]}
    assert differing
    # What the table of tflite-micro leaves out, and nothing else.
    assert differing <= {name for name, file in files.items() if "RELU6" in {op.name for op in file.operators}}
    assert len({code for codes in one.values() for code in codes}) > 50


def test_an_operator_that_neither_knows_is_said_once() -> None:
    flat = FlatModel()
    source = flat.tensor([1, 6], [0.1], [3])
    file = parse_model(flat.finish([source], flat.operator("ABS", [source], flat.tensor([1, 6], [0.1], [3]))))
    told = [each for each in contract_violations(file) if "ABS" in each]
    assert len(told) == 1
    assert "that tflite-runtime-2-14 and tflite-micro are known to run; known: CONV_2D, " in told[0]
