"""STRIDED_SLICE."""

import tflite

from tinycerb.converters.c_model.copies import MOST_AXES, add_copy, row_strides
from tinycerb.converters.c_model.errors import refuse, refuse_tensor
from tinycerb.converters.c_model.lowering import Lowering, lowers
from tinycerb.converters.c_model.requirements import Shape, require_inputs, require_int8, require_integers, require_rank
from tinycerb.converters.c_model.source import Source
from tinycerb.converters.model_file import Operator


def _chosen(source: Source, operator: Operator) -> list[range]:
    """What a slice takes of each axis; begin, end and strides are constant, masks mean what they do in NumPy."""
    tensor = operator.inputs[0]
    options = source.options(operator, tflite.StridedSliceOptions)
    begin, end, steps = (
        require_integers(source, operator, position, what).reshape(-1).tolist()
        for position, what in ((1, "begin"), (2, "end"), (3, "strides"))
    )
    found = []
    for axis, size in enumerate(tensor.shape):
        if axis >= len(begin):
            found.append(range(size))
        elif options.ShrinkAxisMask() >> axis & 1:
            index = begin[axis] + size if begin[axis] < 0 else begin[axis]
            found.append(range(index, index + 1))
        else:
            first = None if options.BeginMask() >> axis & 1 else begin[axis]
            last = None if options.EndMask() >> axis & 1 else end[axis]
            found.append(range(size)[first : last : steps[axis]])
    return found


def check_strided_slice(source: Source, operator: Operator) -> Shape:
    """At least one element of each axis."""
    require_inputs(operator, 4)
    tensor = operator.inputs[0]
    require_int8(operator, tensor, operator.outputs[0])
    require_rank(operator, tensor, range(1, MOST_AXES + 1))
    options = source.options(operator, tflite.StridedSliceOptions)
    if options.EllipsisMask() or options.NewAxisMask() or options.Offset():
        raise refuse(operator, "ellipsis, new axes and ends counted from the beginning are not supported")
    lists = [
        require_integers(source, operator, position, what)
        for position, what in ((1, "begin"), (2, "end"), (3, "strides"))
    ]
    lengths = {values.shape for values in lists}
    if len(lengths) != 1 or lists[0].ndim != 1 or len(lists[0]) > len(tensor.shape):
        raise refuse(operator, f"begin, end and strides have the shapes {[list(values.shape) for values in lists]}")
    shrunk = [axis for axis in range(len(lists[0])) if options.ShrinkAxisMask() >> axis & 1]
    for axis, (begin, step) in enumerate(zip(lists[0].tolist(), lists[2].tolist(), strict=True)):
        size = tensor.shape[axis]
        if step == 0:
            raise refuse(operator, f"its stride of axis {axis} is 0")
        if axis in shrunk and (step != 1 or options.BeginMask() >> axis & 1 or not -size <= begin < size):
            raise refuse(operator, f"it takes element {begin} of axis {axis} in steps of {step}; the axis has {size}")
    chosen = _chosen(source, operator)
    if not all(chosen):
        raise refuse_tensor(operator, tensor, f"has the shape {list(tensor.shape)}; nothing is left of it")
    return tuple(len(kept) for axis, kept in enumerate(chosen) if axis not in shrunk)


@lowers("STRIDED_SLICE", check=check_strided_slice, newest=4)
def lower_strided_slice(to: Lowering, operator: Operator) -> None:
    """One copy."""
    source = operator.inputs[0]
    chosen, steps = _chosen(to.source, operator), row_strides(source.shape)
    offset = sum(kept.start * step for kept, step in zip(chosen, steps, strict=True))
    extents = [len(kept) for kept in chosen]
    # The step from a lone element leads nowhere, and may be any 32-bit number.
    strides = [step * (kept.step if len(kept) > 1 else 1) for kept, step in zip(chosen, steps, strict=True)]
    add_copy(to, operator, source, extents, strides, row_strides(extents), input_offset=offset)
