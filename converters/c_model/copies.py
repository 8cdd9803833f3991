"""RESHAPE and its kin, PAD, CONCATENATION and STRIDED_SLICE: nothing is computed, bytes only move."""

from collections.abc import Sequence

import numpy as np
import tflite

from converters.c_model.dense import constant_inputs
from converters.c_model.errors import refuse
from converters.c_model.layer import Layer
from converters.c_model.lowering import Lowering, check_int8, lowers
from converters.model_file import Operator, Tensor

_AXES = 5


@lowers("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
def lower_reshape(to: Lowering, operator: Operator) -> None:
    """Another name for the same bytes."""
    check_int8(operator)
    to.same_memory[operator.outputs[0].index] = operator.inputs[0].index


def _strides(shape: Sequence[int]) -> list[int]:
    return [int(np.prod(shape[axis + 1 :], dtype=np.int64)) for axis in range(len(shape))]


def _copy(
    to: Lowering,
    operator: Operator,
    source: Tensor,
    extent: Sequence[int],
    input_strides: Sequence[int],
    output_strides: Sequence[int],
    input_offset: int = 0,
    output_offset: int = 0,
    fill: int | None = None,
) -> None:
    if len(extent) > _AXES:
        raise refuse(operator, f"{len(extent)} axes; at most {_AXES}")
    extent, inner, outer = _merged(extent, input_strides, output_strides)
    lead = _AXES - len(extent)
    result = operator.outputs[0]
    to.layers.append(
        Layer(
            operator=operator,
            kernel="tc_block_copy",
            parameters={
                "extent": (1,) * lead + tuple(extent),
                "input_stride": (0,) * lead + tuple(inner),
                "output_stride": (0,) * lead + tuple(outer),
                "input_offset": input_offset,
                "output_offset": output_offset,
                "fill_count": 0 if fill is None else result.bytes,
                "fill": fill or 0,
            },
            inputs=(source.index,),
            output=result.index,
            constants=constant_inputs(to, operator, len(operator.inputs)),
        )
    )


def _merged(
    extent: Sequence[int], inner: Sequence[int], outer: Sequence[int]
) -> tuple[list[int], list[int], list[int]]:
    """Joins neighbouring axes that lie back to back on both sides, so that runs are long."""
    axes = [list(axis) for axis in zip(extent, inner, outer, strict=True)]
    joined = axes[:1]
    for size, step, out_step in axes[1:]:
        before = joined[-1]
        if before[1] == size * step and before[2] == size * out_step:
            joined[-1] = [before[0] * size, step, out_step]
        else:
            joined.append([size, step, out_step])
    return [axis[0] for axis in joined], [axis[1] for axis in joined], [axis[2] for axis in joined]


@lowers("PAD")
def lower_pad(to: Lowering, operator: Operator) -> None:
    """What is added is the output's zero point."""
    check_int8(operator)
    source, result = operator.inputs[0], operator.outputs[0]
    if (source.scales, source.zero_points) != (result.scales, result.zero_points):
        raise refuse(operator, "its input and output differ in scale or zero point")
    before = to.source.required_constant(operator, 1, "list of paddings")[:, 0]
    strides = _strides(result.shape)
    offset = int(np.dot(before, strides))
    fill = result.zero_points[0]
    _copy(to, operator, source, source.shape, _strides(source.shape), strides, output_offset=offset, fill=fill)


@lowers("CONCATENATION")
def lower_concatenation(to: Lowering, operator: Operator) -> None:
    """One copy per input."""
    check_int8(operator)
    result = operator.outputs[0]
    options = to.source.options(operator, tflite.ConcatenationOptions)
    if options.FusedActivationFunction() != 0:
        raise refuse(operator, "a fused activation on a concatenation is not supported")
    axis = options.Axis() % len(result.shape)
    strides = _strides(result.shape)
    offset = 0
    for tensor in operator.inputs:
        if tensor.dtype != "int8" or (tensor.scales, tensor.zero_points) != (result.scales, result.zero_points):
            raise refuse(operator, f"input tensor {tensor.index} differs from the output in scale or zero point")
        _copy(to, operator, tensor, tensor.shape, _strides(tensor.shape), strides, output_offset=offset)
        offset += tensor.shape[axis] * strides[axis]


@lowers("STRIDED_SLICE")
def lower_strided_slice(to: Lowering, operator: Operator) -> None:
    """Constant begin, end and strides; masks as NumPy's slices."""
    check_int8(operator)
    source = operator.inputs[0]
    options = to.source.options(operator, tflite.StridedSliceOptions)
    if options.EllipsisMask() or options.NewAxisMask():
        raise refuse(operator, "ellipsis and new axes are not supported")
    begin, end, steps = (
        to.source.required_constant(operator, position, what).tolist()
        for position, what in ((1, "begin"), (2, "end"), (3, "strides"))
    )
    if len(begin) > len(source.shape):
        raise refuse(operator, "more slices than axes")
    starts, extents, strides = [], [], []
    for axis, (size, stride) in enumerate(zip(source.shape, _strides(source.shape), strict=True)):
        chosen = range(size)
        if axis < len(begin):
            first = None if options.BeginMask() >> axis & 1 else begin[axis]
            last = None if options.EndMask() >> axis & 1 else end[axis]
            if options.ShrinkAxisMask() >> axis & 1:
                index = begin[axis] % size
                chosen = range(index, index + 1)
            else:
                chosen = range(size)[first : last : steps[axis]]
        if not len(chosen):
            raise refuse(operator, f"an empty slice of axis {axis}")
        starts.append(chosen.start * stride)
        extents.append(len(chosen))
        strides.append(chosen.step * stride)
    _copy(to, operator, source, extents, strides, _strides(extents), input_offset=sum(starts))
