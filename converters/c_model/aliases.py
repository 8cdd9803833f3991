"""RESHAPE, SQUEEZE and EXPAND_DIMS: another name for the same bytes."""

from math import prod

import numpy as np
import tflite

from tinycerb.converters.c_model.errors import refuse, refuse_tensor
from tinycerb.converters.c_model.lowering import Lowering, lowers
from tinycerb.converters.c_model.requirements import (
    Shape,
    require_activation,
    require_inputs,
    require_integers,
    require_rank,
    require_same_quantization,
)
from tinycerb.converters.c_model.source import Source
from tinycerb.converters.model_file import Operator


def check_reshape(source: Source, operator: Operator) -> Shape:
    """The shape is a constant or stands in the options; one axis may be -1 there."""
    require_inputs(operator, 1, 2)
    tensor = require_activation(source, operator)
    if len(operator.inputs) == 2:
        given = require_integers(source, operator, 1, "shape")
        require_rank(operator, operator.inputs[1], (1,))
        shape = given.tolist()
    else:
        options = source.options(operator, tflite.ReshapeOptions)
        shape = [options.NewShape(axis) for axis in range(options.NewShapeLength())]
    elements, known = prod(tensor.shape), prod(size for size in shape if size != -1)
    if shape.count(-1) > 1 or known < 1 or elements % known or (-1 not in shape and known != elements):
        raise refuse(operator, f"{elements} elements cannot take the shape {shape}")
    return tuple(elements // known if size == -1 else size for size in shape)


def check_squeeze(source: Source, operator: Operator) -> Shape:
    """Axes of one element go, all of them or those that the options name."""
    require_inputs(operator, 1)
    tensor = require_activation(source, operator)
    require_rank(operator, tensor, range(9))
    options = source.options(operator, tflite.SqueezeOptions)
    named = [options.SqueezeDims(index) for index in range(options.SqueezeDimsLength())]
    rank = len(tensor.shape)
    gone = {axis + rank if axis < 0 else axis for axis in named} or {
        axis for axis, size in enumerate(tensor.shape) if size == 1
    }
    if any(not 0 <= axis < rank or tensor.shape[axis] != 1 for axis in gone):
        raise refuse_tensor(operator, tensor, f"has the shape {list(tensor.shape)}; axes {named} cannot be taken out")
    return tuple(size for axis, size in enumerate(tensor.shape) if axis not in gone)


def check_expand_dims(source: Source, operator: Operator) -> Shape:
    """A constant axis."""
    require_inputs(operator, 2)
    tensor = require_activation(source, operator)
    require_same_quantization(operator, tensor)
    axes = source.required_constant(operator, 1, "axis")
    rank = len(tensor.shape)
    if axes.dtype not in (np.int32, np.int64) or axes.size != 1 or not -rank - 1 <= int(axes.flat[0]) <= rank:
        raise refuse_tensor(
            operator,
            operator.inputs[1],
            f"is {axes.dtype} {axes.tolist()}; expected one axis from {-rank - 1} to {rank}",
        )
    axis = int(axes.flat[0]) % (rank + 1)
    return (*tensor.shape[:axis], 1, *tensor.shape[axis:])


@lowers("RESHAPE", check=check_reshape)
@lowers("SQUEEZE", check=check_squeeze)
@lowers("EXPAND_DIMS", check=check_expand_dims)
def lower_reshape(to: Lowering, operator: Operator) -> None:
    """Nothing moves."""
    to.same_memory[operator.outputs[0].index] = operator.inputs[0].index
