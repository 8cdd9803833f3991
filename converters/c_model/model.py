"""A whole .tflite file as layers of the C runtime."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Importing these modules fills the registry of operators.
from tinycerb.converters.c_model import aliases, convolutions, copies, dense, elementwise, lookups, pools, slices  # noqa: F401
from tinycerb.converters.c_model.arena import Arena, plan_arena
from tinycerb.converters.c_model.cmsis_nn import CMSIS_NN_OPERATORS
from tinycerb.converters.c_model.errors import UnsupportedModelError
from tinycerb.converters.c_model.head_table import as_head_table
from tinycerb.converters.c_model.layer import Layer
from tinycerb.converters.c_model.lowering import OPERATORS, Lowering
from tinycerb.converters.c_model.response import ResponseStep
from tinycerb.converters.c_model.softmax import SMALLEST_STEP, softmax_scale
from tinycerb.converters.c_model.source import Source, open_source
from tinycerb.converters.c_model.targets import TARGETS, Target
from tinycerb.converters.c_model.validation import validate
from tinycerb.converters.metadata import MetadataError, head_scales
from tinycerb.converters.model_file import ModelFile, Tensor


@dataclass(frozen=True)
class CModel:
    """What model.c is written from.

    Attributes:
        target: the family of cores.
        hash: SHA-256 of the file.
        layers: in execution order.
        arena: where tensors live.
        image: the input.
        output: the output; all heads' where a combiner reads them.
        heads: number of heads to choose from, 1 where none is selected.
        answer_scales: members of `tc_softmax_scale` per head; empty where the output is a posterior already.
        responses: what is done to every posterior, in order.
        combiner: what makes one posterior of all heads, or None where one of them answers alone.
    """

    target: Target
    hash: bytes
    layers: tuple[Layer, ...]
    arena: Arena
    image: Tensor
    output: Tensor
    heads: int
    answer_scales: tuple[Mapping[str, int], ...]
    responses: tuple[ResponseStep, ...] = ()
    combiner: ResponseStep | None = None

    @property
    def answer_bytes(self) -> int:
        """Bytes of an answer: one per class."""
        return self.output.bytes // (self.combiner.heads if self.combiner else 1)

    @property
    def answered(self) -> bool:
        """Whether the outputs are 2 to 256 classes, from which the runtime makes an answer."""
        return is_answered(self.answer_bytes)


def is_answered(classes: int) -> bool:
    """Whether so many outputs are taken for classes."""
    return 2 <= classes <= 256


def check_model(file: ModelFile) -> Source:
    """Opens a file of any origin for lowering.

    Raises:
        UnsupportedModelError: what `validate` refuses.
    """
    source = open_source(file)
    validate(source)
    return source


def lower_model(file: ModelFile, target: str = "portable", responses: Sequence[ResponseStep] = ()) -> CModel:
    """Turns a file into layers for a family of cores.

    Args:
        file: the model.
        target: one of `TARGETS`.
        responses: what the file's response means; its metadata hold the text alone. Where the first one combines
            heads, all of them are computed at once.

    Raises:
        UnsupportedModelError: what `validate` or `product_parameters` refuse; or another number of heads than the
            combiner or the metadata want.
    """
    source = check_model(file)
    combiner = responses[0] if responses and responses[0].heads else None
    if combiner is not None:
        file = _all_heads(file, combiner)
        source = open_source(file)
    to = Lowering(source, TARGETS[target])
    special = CMSIS_NN_OPERATORS if to.target.cmsis_nn else {}
    for operator in file.operators:
        special.get(operator.name, OPERATORS[operator.name].lower)(to, operator)
    image = next(tensor for tensor in file.graph_inputs if tensor.dtype == "int8")
    output = next(iter(file.outputs.values()))
    every = [*file.graph_inputs, *(tensor for op in file.operators for tensor in (*op.inputs, *op.outputs))]
    sizes = {tensor.index: tensor.bytes for tensor in every}
    # Constant inputs have places of their own in flash.
    constant = {index for layer in to.layers for index in layer.constants}
    arena = plan_arena(to.layers, sizes, to.same_memory, image.index, output.index)
    # The answer works in the arena with three words per class.
    classes = output.bytes // (combiner.heads if combiner else 1)
    needed = max(arena.total_bytes, 12 * classes if is_answered(classes) else 0)
    arena = Arena(
        -(-needed // 16) * 16, {key: at for key, at in arena.tensors.items() if key not in constant}, arena.scratch
    )
    return CModel(
        target=to.target,
        hash=hashlib.sha256(file.content).digest(),
        layers=tuple(to.layers),
        arena=arena,
        image=image,
        output=output,
        heads=to.heads,
        answer_scales=_answer_scales(file, combiner.heads if combiner else to.heads) if is_answered(classes) else (),
        responses=tuple(responses[1:] if combiner else responses),
        combiner=combiner,
    )


def _all_heads(file: ModelFile, combiner: ResponseStep) -> ModelFile:
    table = as_head_table(file)
    rows = next(iter(table.outputs.values())).shape[0]
    if rows != combiner.heads:
        raise UnsupportedModelError(f"{combiner.function} reads {combiner.heads} heads; the file has {rows}")
    return table


def _answer_scales(file: ModelFile, heads: int) -> tuple[Mapping[str, int], ...]:
    try:
        scales = head_scales(file, heads)
    except MetadataError as error:
        raise UnsupportedModelError(f"what the file says about itself is damaged: {error}") from error
    if scales is None:
        return ()
    if len(scales) < heads:
        raise UnsupportedModelError(f"the file's metadata name {len(scales)} heads; its graph has {heads}")
    for head, scale in enumerate(scales):
        if not scale > SMALLEST_STEP:
            raise UnsupportedModelError(
                f"the output's scale over head {head}'s alpha is {scale:g}, too small for softmax"
            )
    return tuple(map(softmax_scale, scales))
