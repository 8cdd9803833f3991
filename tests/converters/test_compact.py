"""Compaction takes bytes, names and duplicates, and nothing that a runtime reads."""

import numpy as np

from tinycerb.converters.compact import compact
from tinycerb.converters.flatbuffer_writer import pack_model, unpack_model
from tinycerb.converters.model_file import parse_model, read_model_file

OUTPUTS = """
import sys
import numpy as np
from pathlib import Path
from tinycerb.converters.model_file import read_model_file
from tinycerb.runtimes.layer_outputs import run_operators
codes = np.random.default_rng(0).integers(-128, 128, (4, 28, 28, 1)).astype(np.int8)
for operator, outputs in run_operators(read_model_file(Path(sys.argv[1])), codes):
    print(operator.name, outputs.tobytes().hex())
"""


def bloated(content: bytes) -> bytes:
    """The file with the long names and double buffers that converters write."""
    schema, model = unpack_model(content)
    for index, tensor in enumerate(model.subgraphs[0].tensors):
        tensor.name = f"net/quant_layer{index}_relu/Relu;net/quant_layer{index}/Conv2D;" + "x" * 100
        if tensor.buffer == 0:
            model.buffers.append(schema.BufferT())
            tensor.buffer = len(model.buffers) - 1
    return pack_model(model)


def test_the_same_bytes_come_out_of_every_operator(smoke_run, run_child, tmp_path) -> None:
    content = smoke_run.model("cerberos").read_bytes()
    large = bloated(content)
    small = compact(large)
    assert len(small) < 0.7 * len(large)
    assert len(small) <= len(content)
    for name, variant in (("large", large), ("small", small)):
        (tmp_path / name).write_bytes(variant)
    before, after = (run_child(OUTPUTS, tmp_path / name) for name in ("large", "small"))
    assert before == after
    assert before.count("\n") == len(parse_model(content).operators)


def test_constants_lie_aligned_and_tensors_carry_their_layer(smoke_run) -> None:
    file = read_model_file(smoke_run.model("cerberos"))
    names = [operator.outputs[0].name for operator in file.operators]
    assert names[:3] == ["stem", "block1_depthwise", "block1_pointwise"]
    assert names[-1] == "logits"
    _, model = unpack_model(file.content)
    for buffer in model.buffers:
        if buffer.data is not None and len(buffer.data) >= 16:
            found = file.content.find(np.asarray(buffer.data, np.uint8).tobytes())
            assert found % 16 == 0
    assert all(tensor.name in (b"", "", None) for tensor in model.subgraphs[0].tensors if tensor.buffer)


def test_nothing_is_written_twice(smoke_run) -> None:
    content = smoke_run.model("cerberos").read_bytes()
    assert len(compact(content)) <= len(content)
