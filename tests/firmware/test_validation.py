"""What is refused before anything is lowered: files that contradict themselves, one change at a time."""

import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tests.firmware.flatbuffer_model import FlatModel
from tests.firmware.networks import demo_net
from tests.fuzz.fields import LENGTH, fields_of
from tinycerb.converters.c_model.errors import UnsupportedModelError
from tinycerb.converters.c_model.model import check_model, lower_model
from tinycerb.converters.metadata import embed_metadata
from tinycerb.converters.model_file import parse_model

SOUND = demo_net(3, defaults=True)
MOST = 2**31 - 1


def changed(content: bytes, name: str, owner: Sequence[int], value: float, kind: str | None = None) -> bytes:
    """Returns the file with one field changed, named by table and slot as in TFLite's schema."""
    damaged = bytearray(content)
    (field,) = (
        field
        for field in fields_of(content)
        if (field.name, field.owner) == (name, tuple(owner)) and (field.kind == LENGTH) == (kind == LENGTH)
    )
    field.write(damaged, value)
    return bytes(damaged)


def refusal(content: bytes) -> str:
    """Returns why a file is refused; families of cores, and kernels of others, must say the same."""
    told = set()
    for target in ("portable", "dsp+cmsis-nn"):
        with pytest.raises(UnsupportedModelError) as caught:
            lower_model(parse_model(content), target)
        told.add(str(caught.value))
    (sentence,) = told
    return sentence


def output_of(name: str, which: int = 0) -> int:
    """Tensor that an operator of the sound file writes."""
    return [op.outputs[0].index for op in parse_model(SOUND).operators if op.name == name][which]


def operator(name: str, which: int = 0) -> int:
    """Place of an operator in the sound file."""
    return [op.index for op in parse_model(SOUND).operators if op.name == name][which]


def test_the_sound_file_passes() -> None:
    check_model(parse_model(SOUND))
    assert len(lower_model(parse_model(SOUND)).layers) > 10


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        # What used to read outside of its arrays: a table of millions of rows behind a dense layer.
        (
            lambda: changed(SOUND, "Tensor.0", (0, output_of("RESHAPE"), 0), 2**24),
            r"layer \d+ \(RESHAPE, output '.*'\): tensor \d+ \(.*\) takes 167,772,160 bytes; at most 33,554,432",
        ),
        # And what used to end in a traceback.
        (
            lambda: changed(SOUND, "Tensor.0", (0, output_of("CONV_2D", 2)), 0, LENGTH),
            r"layer \d+ \(CONV_2D, .*\): tensor \d+ \(.*\) has the shape \[\]; inputs and options give \[1, 14,",
        ),
        (
            lambda: changed(SOUND, "Operator.2", (0, operator("RESHAPE")), 0, LENGTH),
            r"layer \d+ \(RESHAPE, output 'no output'\): it writes 0 tensors; expected 1",
        ),
        (
            lambda: changed(SOUND, "Operator.2", (0, operator("CONV_2D", 1)), 0, LENGTH),
            r"layer \d+ \(CONV_2D, output 'no output'\): it writes 0 tensors; expected 1",
        ),
        (
            lambda: changed(SOUND, "Tensor.0", (0, parse_model(SOUND).operators[0].inputs[1].index), 0, LENGTH),
            r"layer 0 \(CONV_2D, .*\): tensor \d+ \(.*\) has 144 bytes; int8\[\] takes 1",
        ),
        (
            lambda: changed(SOUND, "Tensor.0", (0, output_of("DEPTHWISE_CONV_2D")), 2, LENGTH),
            r"layer 1 \(DEPTHWISE_CONV_2D, .*\): tensor \d+ \(.*\) has the shape \[1, 14\]; inputs and options give",
        ),
        (
            lambda: changed(SOUND, "Operator.1", (0, 0, 0), output_of("ADD")),
            r"layer 0 \(CONV_2D, .*\): tensor \d+ \(.*\) is read before any layer has computed it",
        ),
        (
            lambda: changed(SOUND, "Tensor.0", (0, output_of("CONV_2D"), 3), 0),
            r"layer 0 \(CONV_2D, .*\): tensor \d+ \(.*\) has the shape \[1, 14, 14, 0\]; expected at least one element",
        ),
        (
            lambda: changed(SOUND, "Quantization.3", (0, output_of("DEPTHWISE_CONV_2D")), 0, LENGTH),
            r"layer 1 \(DEPTHWISE_CONV_2D, .*\): tensor \d+ \(.*\) has scales: 1, zero points: 0",
        ),
        # Whatever else a file may say.
        (lambda: changed(SOUND, "Model.0", (), 2), "the file is of schema version 2; expected 3"),
        (
            lambda: changed(SOUND, "OperatorCode.2", (0,), MOST),
            "version 2147483647; the C runtime knows",
        ),
        (lambda: changed(SOUND, "OperatorCode.2", (0,), 0), "version 0; the C runtime knows versions 1 to 6"),
        (
            lambda: changed(SOUND, "OperatorCode.3", (0,), 99),
            r"layer 0 \(SQUARED_DIFFERENCE, .*not supported",
        ),
        (lambda: changed(SOUND, "Operator.3", (0, 0), 5), "its options are of kind 5; expected Conv2DOptions"),
        (lambda: changed(SOUND, "Operator.2", (0, 1, 0), output_of("CONV_2D")), "is computed a second time"),
        (lambda: changed(SOUND, "Operator.2", (0, 0, 0), 0), "is computed a second time, or over an input"),
        (lambda: changed(SOUND, "Operator.1", (0, 0, 1), -1), r"its inputs \[1\] are absent; expected all of them"),
        (lambda: changed(SOUND, "Operator.1", (0, 0), 1, LENGTH), "it reads 1 tensors; expected 3"),
        (lambda: changed(SOUND, "Quantization.2", (0, 0, 0), 0.0), r"tensor 0 \('image'\) has the scale 0"),
        (lambda: changed(SOUND, "Quantization.2", (0, 0, 0), -1.0), r"tensor 0 \('image'\) has the scale -1"),
        (lambda: changed(SOUND, "Quantization.3", (0, 0, 0), 128), "has the zero point 128; expected -128 to 127"),
        (lambda: changed(SOUND, "Quantization.6", (0, 1), 3), r"has 16 scales for the shape \[16, 3, 3, 1\], axis 3"),
        (lambda: changed(SOUND, "Quantization.6", (0, 1), -1), "has its scales along axis -1 of 4"),
        (lambda: changed(SOUND, "Quantization.3", (0, 1, 5), 1), "has a zero point; expected 0"),
        (lambda: changed(SOUND, "Tensor.1", (0, 1), 2), r"has 144 bytes; int32\[16, 3, 3, 1\] takes 576"),
        (lambda: changed(SOUND, "SubGraph.2", (0, 0), 0), "is an output of the model that no layer computes"),
        (lambda: changed(SOUND, "Conv2DOptions.1", (0, 0), 0), "its stride is 2x0; expected 1 or more"),
        (lambda: changed(SOUND, "Conv2DOptions.4", (0, 0), -1), "its dilation is 1x-1; expected 1 or more"),
        (
            lambda: changed(SOUND, "Conv2DOptions.3", (0, 0), 4),
            "fused activation 4 is not supported; allowed",
        ),
    ],
)
def test_one_change_is_refused_by_name(damage: Callable[[], bytes], told: str) -> None:
    sentence = refusal(damage())
    assert re.search(told, sentence), sentence


def _single(name: str, options: str | None = None, values: dict | None = None, **places) -> bytes:
    """One operator: `source`, `others` (arrays) and `result` are shapes, `scale` and `output_scale` floats."""
    flat = FlatModel()
    source = flat.tensor(places["source"], [places.get("scale", 0.1)], [0])
    others = [
        flat.tensor(array.shape, scales, [0] * len(scales), array, axis)
        for array, scales, axis in places.get("others", [])
    ]
    result = flat.tensor(places["result"], [places.get("output_scale", 0.1)], [places.get("zero_point", 0)])
    return flat.finish([source], flat.operator(name, [source, *others], result, options, values))


def _depthwise(**options: int) -> bytes:
    weights, bias = np.ones((1, 2, 2, 3), np.int8), np.zeros(3, np.int32)
    whole = {"Padding": 1, "StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1, **options}
    return _single(
        "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", whole, source=[1, 2, 2, 3], result=[1, 1, 1, 3],
        others=[(weights, [0.1], 3), (bias, [0.01], 0)],
    )  # fmt: skip


@pytest.mark.parametrize("options", [{"StrideW": MOST}, {"StrideH": MOST}, {"Padding": 0, "DilationHFactor": 2**30}])
def test_steps_that_leave_32_bits_are_refused(options: dict[str, int]) -> None:
    """One window fits, so that nothing depends on the stride; but the kernels compute where the next would be."""
    assert "leads out of the range of 32-bit numbers" in refusal(_depthwise(**options))


def test_the_largest_steps_that_fit_are_lowered() -> None:
    # (2 * 2 + stride + 2) * 3 channels is the last place that a kernel computes.
    largest = MOST // 3 - 6
    check_model(parse_model(_depthwise(StrideW=largest)))
    assert "leads out" in refusal(_depthwise(StrideW=largest + 1))


def test_a_step_from_a_lone_element_is_not_taken() -> None:
    """A slice of one element may have any stride; the C has a number of 32 bits there."""
    lists = [(np.array(values, np.int32), [], 0) for values in ([0, 1], [1, 2], [1, MOST])]
    content = _single("STRIDED_SLICE", "StridedSliceOptions", source=[1, 40], result=[1, 1], others=lists)
    (layer,) = lower_model(parse_model(content)).layers
    assert all(abs(step) <= 40 for step in layer.parameters["input_stride"])  # pyright: ignore


FEW = np.ones((2, 4), np.int8)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        # TFLite's reference takes the first two axes for rows and channels there, and reads outside.
        (
            _single(
                "FULLY_CONNECTED", "FullyConnectedOptions", {"KeepNumDims": True}, source=[1, 3, 4], result=[1, 3, 2],
                others=[(FEW, [0.1, 0.2], 0)],
            ),
            "weights with several scales and keep_num_dims take 2 axes",
        ),
        (
            _single("FULLY_CONNECTED", "FullyConnectedOptions", source=[1, 6], result=[1, 2], others=[(FEW, [0.1], 0)]),
            "expected rows of 4 elements",
        ),
        (
            _single(
                "FULLY_CONNECTED", "FullyConnectedOptions", source=[1, 4], result=[1, 2],
                others=[(FEW, [0.1], 0), (np.ones(2, np.int32), [0.5], 0)],
            ),
            "has the scale 0.5; expected 0.01, the product",
        ),
        (
            _single(
                "FULLY_CONNECTED", "FullyConnectedOptions", source=[1, 4], result=[1, 2], others=[(FEW, [3e38], 0)],
                scale=1e9,
            ),
            "is no 32-bit float",
        ),
        (
            _single(
                "FULLY_CONNECTED", "FullyConnectedOptions", source=[1, 4], result=[1, 2], output_scale=1e-20,
                others=[(FEW * 0, [0.1], 0)],
            ),
            "the sums of channel 0 are shifted left by 60 bits; at most 30",
        ),
        (
            _single(
                "FULLY_CONNECTED", "FullyConnectedOptions", {"FusedActivationFunction": 3}, source=[1, 4],
                result=[1, 2], output_scale=1e-10, others=[(FEW, [1e-12], 0)],
            ),
            "6 of ReLU6 is no 32-bit number",
        ),
        (
            _single("MUL", "MulOptions", source=[2, 1, 1, 1, 3], result=[2, 1, 1, 1, 3],
                    others=[(np.ones(3, np.int8), [0.1], 0)]),
            "broadcasting over 5 axes is not supported; at most 4",
        ),
        (
            _single("ADD", "AddOptions", source=[1, 4, 3], result=[1, 4, 3],
                    others=[(np.ones((4, 1), np.int8), [0.1], 0)]),
            r"has the shape \[4, 1\]; broadcasting it to \[1, 4, 3\] is not supported",
        ),
        (
            _single("RESHAPE", "ReshapeOptions", source=[1, 4], result=[2, 2],
                    others=[(np.array([3, -1], np.int32), [], 0)]),
            r"4 elements cannot take the shape \[3, -1\]",
        ),
        (
            _single("EXPAND_DIMS", "ExpandDimsOptions", source=[1, 4], result=[1, 4, 1], output_scale=0.2,
                    others=[(np.array([-1], np.int32), [], 0)]),
            "expected the output's, 0.2 and 0",
        ),
        (
            _single("PAD", "PadOptions", source=[1, 4], result=[1, 5],
                    others=[(np.array([[0, 0], [-1, 2]], np.int32), [], 0)]),
            "expected two counts for each of 2 axes",
        ),
        (
            _single("CONCATENATION", "ConcatenationOptions", {"Axis": -3}, source=[1, 4], result=[1, 4]),
            "its axis is -3; expected -2 to 1",
        ),
        (
            _single("MEAN", "ReducerOptions", source=[1, 4, 4, 2], result=[1, 2],
                    others=[(np.array([5, 6], np.int32), [], 0)]),
            "only height and width",
        ),
        (
            _single("SOFTMAX", "SoftmaxOptions", {"Beta": float("nan")}, source=[1, 4], result=[1, 4],
                    output_scale=1 / 256, zero_point=-128),
            "its beta nan times its input scale 0.1 is out of range",
        ),
        (_single("LOGISTIC", source=[1, 4], result=[1, 4]), "expected 1/256 and -128"),
        (_single("QUANTIZE", source=[1, 4], result=[1, 4], scale=1e9), "four million times finer"),
    ],
)  # fmt: skip
def test_what_no_kernel_can_do_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(UnsupportedModelError, match=told):
        lower_model(parse_model(content))


def test_an_axis_of_scales_that_a_vector_does_not_have_is_harmless() -> None:
    """TensorFlow's own person detection says so of its biases."""
    flat = FlatModel()
    source = flat.tensor([1, 4], [0.1], [0])
    weights = flat.tensor([2, 4], [0.1, 0.1], [0, 0], FEW)
    bias = flat.tensor([2], [0.01, 0.01], [0, 0], np.ones(2, np.int32), axis=3)
    result = flat.tensor([1, 2], [0.1], [0])
    flat.operator("FULLY_CONNECTED", [source, weights, bias], result, "FullyConnectedOptions")
    assert len(lower_model(parse_model(flat.finish([source], result))).layers) == 1


def test_metadata_of_fewer_heads_than_the_graph_has_are_refused() -> None:
    facts = {"heads": 2, "classes": 10, "alphas": [1.0, 2.0]}
    assert "metadata name 2 heads; its graph has 3" in refusal(embed_metadata(SOUND, facts))
    tiny = {"heads": 3, "classes": 10, "alphas": [1.0, 1e29, 1.0]}
    assert "over head 1's alpha is 1.22718e-30, too small for softmax" in refusal(embed_metadata(SOUND, tiny))


@pytest.mark.parametrize("axis", [1, 3])
def test_an_axis_that_a_vector_does_not_have_says_nothing(axis: int) -> None:
    """TensorFlow's own person detection has biases with one."""
    flat, rng = FlatModel(), np.random.default_rng(0)
    source = flat.tensor([1, 8], [0.1], [0], name="image")
    weights = flat.tensor([2, 8], [0.01], [0], rng.integers(-99, 99, (2, 8), np.int8))
    bias = flat.tensor([2], [0.001], [0], np.array([5, -9], np.int32), axis=axis)
    result = flat.tensor([1, 2], [0.1], [0])
    flat.operator("FULLY_CONNECTED", [source, weights, bias], result, "FullyConnectedOptions")
    file = parse_model(flat.finish([source], result))
    assert file.operators[0].inputs[2].quantized_dimension == axis
    assert len(lower_model(file).layers) == 1
