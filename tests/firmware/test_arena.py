"""The arena: nothing that lives at once overlaps, and it is no larger than TFLite Micro's."""

import json
from typing import Any

import numpy as np
import pytest

from tests.firmware.flatbuffer_model import FlatModel
from tests.firmware.networks import ds_cnn
from tests.firmware.random_models import random_model
from tinycerb.converters.c_model.arena import plan_arena
from tinycerb.converters.c_model.layer import Layer
from tinycerb.converters.c_model.model import CModel, lower_model
from tinycerb.converters.c_model.targets import TARGETS
from tinycerb.converters.c_model.window import lead_bytes, window_parameters
from tinycerb.converters.model_file import Operator, parse_model, read_model_file
from tinycerb.run.directory import RunDirectory


def values_at_each_step(model: CModel) -> list[list[tuple[int, int]]]:
    """Which byte ranges hold what a later layer still reads, when each layer writes its output."""
    sizes = {model.image.index: model.image.bytes} | {
        tensor.index: tensor.bytes
        for layer in model.layers
        for tensor in (*layer.operator.inputs, *layer.operator.outputs)
    }
    steps = []
    for position, layer in enumerate(model.layers):
        later = {tensor for after in model.layers[position + 1 :] for tensor in after.inputs} - set(layer.constants)
        if position < len(model.layers) - 1:
            later |= {model.output.index} & {before.output for before in model.layers[: position + 1]}
        written = {model.image.index} | {before.output for before in model.layers[:position]}
        living = {tensor for tensor in later & written if tensor in model.arena.tensors} - {layer.output}
        steps.append([(model.arena.tensors[tensor], sizes[tensor]) for tensor in living])
    return steps


def test_a_plan_by_hand() -> None:
    """Image (64 bytes) -> middle (48) -> answer (32), for which the second layer needs 32 bytes besides.

    The image is dead when answer and working memory live: the two fill its place exactly, the middle stands behind.
    """
    operator = parse_model(random_model(0)).operators[0]
    layers = [
        Layer(operator, "first", {}, inputs=(0,), output=1),
        Layer(operator, "second", {}, inputs=(1,), output=2, scratch_bytes=32),
    ]
    plan = plan_arena(layers, {0: 64, 1: 48, 2: 32}, {}, graph_input=0, graph_output=2)
    assert plan.total_bytes == 64 + 48
    assert (plan.tensors[0], plan.tensors[1]) in ((0, 64), (48, 0))
    assert abs(plan.tensors[2] - plan.scratch[1]) == 32


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_no_layer_overwrites_what_is_still_needed(target: str) -> None:
    shared = 0
    for seed in range(30):
        model = lower_model(parse_model(random_model(seed)), target)
        for position, (layer, living) in enumerate(zip(model.layers, values_at_each_step(model), strict=True)):
            begin = model.arena.tensors[layer.output]
            written = [(begin, layer.operator.outputs[0].bytes)]
            if position in model.arena.scratch:
                written.append((model.arena.scratch[position], layer.scratch_bytes))
            for start, size in written:
                assert start + size <= model.arena.total_bytes
                for other, length in living:
                    assert start + size <= other or other + length <= start, (seed, position)
            shared += begin in {model.arena.tensors.get(tensor) for tensor in layer.inputs}
    assert shared > 5


def test_how_far_an_output_lies_before_its_input_is_the_largest_of_all_rows() -> None:
    rng = np.random.default_rng(4)
    for _ in range(500):
        height, stride, kernel, channels, filters = (int(rng.integers(1, most)) for most in (12, 6, 9, 9, 20))
        flat = FlatModel()
        source = flat.tensor([1, height, 3, channels], [0.1], [0])
        options = {"Padding": 0, "StrideH": stride, "StrideW": 1, "FilterHeight": kernel, "FilterWidth": 1}
        rows = -(-height // stride)
        # The pool stands for any window: one with other filters counts its rows in the same way.
        flat.operator("MAX_POOL_2D", [source], flat.tensor([1, rows, 3, filters], [0.1], [0]), "Pool2DOptions", options)
        (operator,) = parse_model(flat.finish([source], 1)).operators
        window: Any = window_parameters(operator, (kernel, 1), (stride, 1), (1, 1), 0)
        first = [min(max(row * stride - window["pad_top"], 0), height) for row in range(rows)]
        ahead = max((row + 1) * 3 * filters - begin * 3 * channels for row, begin in enumerate(first))
        assert lead_bytes(operator, window) == max(ahead, 0) + filters + channels


def test_an_input_that_is_needed_again_is_not_overwritten() -> None:
    operator = Operator(0, "ADD", 1, (), ())
    layers = [
        Layer(operator, "tc_lookup", {}, (0,), 1, in_place=True),
        Layer(operator, "tc_add", {}, (0, 1), 2, in_place=True),
    ]
    arena = plan_arena(layers, dict.fromkeys(range(3), 100), {}, 0, 2)
    assert arena.tensors[1] != arena.tensors[0] == arena.tensors[2]
    assert arena.total_bytes == 212


@pytest.mark.parametrize("victim", ["undefended", "cerberos"])
@pytest.mark.parametrize("target", ["portable", "dsp", "mve"])
def test_no_more_memory_than_tflite_micro(smoke_run: RunDirectory, victim: str, target: str) -> None:
    """Working memory included; TFLite Micro's figure is without what it keeps between inferences."""
    measured = json.loads((smoke_run.victim(victim) / "measurements.json").read_text())
    arena = lower_model(read_model_file(smoke_run.model(victim)), target).arena
    text = json.dumps(measured)
    theirs = int(text.split('"arena_nonpersistent_bytes": ')[1].split(",")[0].rstrip("}"))
    assert arena.total_bytes <= theirs


@pytest.mark.parametrize("target", ["portable", "dsp", "mve"])
def test_outputs_lie_over_the_rows_that_were_read(target: str) -> None:
    """Row by row: what is written stays before what is still to be read. Two whole tensors would not fit the arena."""
    overlapping = 0
    for name, content in {"ds_cnn": ds_cnn(), **{str(seed): random_model(seed) for seed in range(20)}}.items():
        model = lower_model(parse_model(content), target)
        for layer in (layer for layer in model.layers if layer.lead):
            source, result = layer.operator.inputs[0], layer.operator.outputs[0]
            begin, end = model.arena.tensors[layer.inputs[0]], model.arena.tensors[layer.output]
            shared = begin < end + result.bytes and end < begin + source.bytes
            if not shared or begin == end:
                continue
            overlapping += 1
            window: Any = layer.parameters["window"]
            for row in range(result.shape[1]):
                written = end + (row + 1) * result.bytes // result.shape[1]
                first = max(row * window["stride_height"] - window["pad_top"], 0)
                needed = begin + first * source.bytes // source.shape[1]
                assert written <= needed or first >= source.shape[1], (name, layer.kernel, row)
        if name == "ds_cnn":
            assert model.arena.total_bytes < 2 * 25 * 5 * 64
    assert overlapping > 5
