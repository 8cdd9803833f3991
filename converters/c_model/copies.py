"""PAD and CONCATENATION: nothing is computed, bytes only move."""

from collections.abc import Sequence

import numpy as np
import tflite

from tinycerb.converters.c_model.dense import constant_inputs
from tinycerb.converters.c_model.errors import refuse, refuse_tensor
from tinycerb.converters.c_model.layer import Layer
from tinycerb.converters.c_model.lowering import Lowering, lowers
from tinycerb.converters.c_model.requirements import (
    Shape,
    require_fused,
    require_inputs,
    require_int8,
    require_integers,
    require_rank,
    require_same_quantization,
)
from tinycerb.converters.c_model.source import Source
from tinycerb.converters.model_file import Operator, Tensor

# As many as the kernel's loops.
MOST_AXES = 5


def row_strides(shape: Sequence[int]) -> list[int]:
    """Elements from one place of each axis to the next."""
    return [int(np.prod(shape[axis + 1 :], dtype=np.int64)) for axis in range(len(shape))]


def add_copy(
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
    """Adds the copy of a block of at most `MOST_AXES` axes; strides and offsets in elements."""
    extent, inner, outer = _merged(extent, input_strides, output_strides)
    lead = MOST_AXES - len(extent)
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


def check_pad(source: Source, operator: Operator) -> Shape:
    """Constant numbers of elements before and behind each axis."""
    require_inputs(operator, 2)
    tensor = operator.inputs[0]
    require_int8(operator, tensor, operator.outputs[0])
    require_same_quantization(operator, tensor)
    require_rank(operator, tensor, range(1, MOST_AXES + 1))
    added = require_integers(source, operator, 1, "list of paddings")
    if added.shape != (len(tensor.shape), 2) or added.min() < 0:
        raise refuse_tensor(
            operator,
            operator.inputs[1],
            f"is {added.tolist()}; expected two counts for each of {len(tensor.shape)} axes",
        )
    return tuple(size + int(before) + int(behind) for size, (before, behind) in zip(tensor.shape, added, strict=True))


@lowers("PAD", check=check_pad, newest=4)
def lower_pad(to: Lowering, operator: Operator) -> None:
    """What is added is the output's zero point."""
    source, result = operator.inputs[0], operator.outputs[0]
    before = to.source.required_constant(operator, 1, "list of paddings")[:, 0]
    strides = row_strides(result.shape)
    offset = int(np.dot(before, strides))
    fill = result.zero_points[0]
    add_copy(to, operator, source, source.shape, row_strides(source.shape), strides, output_offset=offset, fill=fill)


def check_concatenation(source: Source, operator: Operator) -> Shape:
    """Equal shapes but for one axis, and one quantization."""
    require_inputs(operator, 1, max(1, len(operator.inputs)))
    require_int8(operator, *operator.inputs, operator.outputs[0])
    require_same_quantization(operator, *operator.inputs)
    first = operator.inputs[0]
    require_rank(operator, first, range(1, MOST_AXES + 1))
    options = source.options(operator, tflite.ConcatenationOptions)
    require_fused(operator, options.FusedActivationFunction(), (0,))
    rank = len(first.shape)
    if not -rank <= options.Axis() < rank:
        raise refuse(operator, f"its axis is {options.Axis()}; expected {-rank} to {rank - 1}")
    axis = options.Axis() % rank

    def others(tensor: Tensor) -> Shape:
        return (*tensor.shape[:axis], *tensor.shape[axis + 1 :])

    for tensor in operator.inputs:
        if len(tensor.shape) != rank or others(tensor) != others(first):
            raise refuse_tensor(
                operator,
                tensor,
                f"has the shape {list(tensor.shape)}; expected {list(first.shape)} but for axis {axis}",
            )
    return (*first.shape[:axis], sum(tensor.shape[axis] for tensor in operator.inputs), *first.shape[axis + 1 :])


@lowers("CONCATENATION", check=check_concatenation, newest=3)
def lower_concatenation(to: Lowering, operator: Operator) -> None:
    """One copy per input."""
    result = operator.outputs[0]
    axis = to.source.options(operator, tflite.ConcatenationOptions).Axis() % len(result.shape)
    strides = row_strides(result.shape)
    offset = 0
    for tensor in operator.inputs:
        add_copy(to, operator, tensor, tensor.shape, row_strides(tensor.shape), strides, output_offset=offset)
        offset += tensor.shape[axis] * strides[axis]
