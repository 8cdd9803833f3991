"""Exchanges GATHER for `TinyCerbHeadSelect` in a converted file."""

import struct

from tinycerb.converters.flatbuffer_writer import pack_model, unpack_model
from tinycerb.converters.known_operators import TINYCERB_OPERATOR
from tinycerb.converters.model_file import ModelFile, Operator
from tinycerb.converters.schema import MutableModel, MutableOperator, Schema

# custom_options, little endian: u8 layout version, u8 mode, u16 heads, u16 classes.
OPTIONS = struct.Struct("<BBHH")
OPTIONS_VERSION = 1
TAKE, DRAW = 0, 1


class SurgeryError(ValueError):
    """The file has no head selection to exchange."""


def select_by_custom_op(file: ModelFile, draw: bool) -> bytes:
    """Returns the file with the custom operator; all other operators, weights and scales stay as they are.

    Args:
        file: one whose operator GATHER selects a row by the input `head`.
        draw: whether the operator draws the head itself; `head` is then an output instead of an input.

    Raises:
        SurgeryError: there is no such operator.
    """
    gather = _gather(file)
    heads, classes = gather.inputs[0].shape
    schema, model = unpack_model(file.content)
    graph = model.subgraphs[0]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = TINYCERB_OPERATOR
    code.version = 1
    operator = graph.operators[gather.index]
    # The code's place in the list is used by no other operator: there is one head selection.
    model.operatorCodes[operator.opcodeIndex] = code
    operator.builtinOptions, operator.builtinOptionsType = None, 0
    operator.customOptions = list(OPTIONS.pack(OPTIONS_VERSION, DRAW if draw else TAKE, heads, classes))
    if draw:
        _make_head_an_output(schema, model, operator, file.inputs["head"].index)
    return pack_model(model)


def _gather(file: ModelFile) -> Operator:
    operator = file.head_operator
    if operator is None or operator.name != "GATHER" or len(operator.inputs[0].shape) != 2:
        found = operator.name if operator else "no operator reads an input 'head'"
        raise SurgeryError(f"the file selects no head by GATHER ({found}); make it with: tinycerb convert")
    if sum(other.name == "GATHER" for other in file.operators) != 1:
        raise SurgeryError("the file has a second GATHER; the custom operator would replace it, too")
    return operator


def _make_head_an_output(schema: Schema, model: MutableModel, operator: MutableOperator, head: int) -> None:
    graph = model.subgraphs[0]
    operator.inputs = [index for index in operator.inputs if index != head]
    operator.outputs = [*operator.outputs, head]
    graph.inputs = [index for index in graph.inputs if index != head]
    graph.outputs = [*graph.outputs, head]
    # The first is what files are asked by; one without any names its ends by their tensors.
    for signature in (model.signatureDefs or [])[:1]:
        signature.inputs = [entry for entry in signature.inputs if entry.tensorIndex != head]
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = "head", head
        signature.outputs = [*signature.outputs, entry]
