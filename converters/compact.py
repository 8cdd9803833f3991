"""Takes out of a .tflite file what no runtime reads: the converter's long names, and buffers of nothing.

Together with `flatbuffer_writer`, which writes equal vectors once: per-channel quantization stores an int64 zero
point of 0 per channel, for weights and again for biases. On small networks all this weighs up to a third of a file.
"""

from tinycerb.converters.flatbuffer_writer import pack_model, unpack_model
from tinycerb.converters.layer_names import layer_of_chain
from tinycerb.converters.schema import MutableGraph, MutableModel


def compact(content: bytes) -> bytes:
    """Returns the same model in fewer bytes; every runtime computes the same with it.

    Args:
        content: a .tflite file with one subgraph. Its signature names inputs and outputs.

    Returns:
        The file with inputs and outputs named as in the signature, other activations after their layer, constants
        unnamed, and all activations on one empty buffer.
    """
    _, model = unpack_model(content)
    graph = model.subgraphs[0]
    empty = {index for index, buffer in enumerate(model.buffers) if buffer.data is None or len(buffer.data) == 0}
    for tensor in graph.tensors:
        tensor.name = layer_of_chain(_text(tensor.name)) if tensor.buffer in empty else ""
        # Only shapeless tensors need it, to tell a scalar from an unknown rank; a converted graph has static shapes.
        tensor.hasRank = False
    for signature in model.signatureDefs or []:
        for entry in (*signature.inputs, *signature.outputs):
            graph.tensors[entry.tensorIndex].name = _text(entry.name)
    # What the converter says of itself; the operators' versions stand in the file anyway.
    model.metadata = []
    model.description = None
    _drop_empty_buffers(model, graph, empty)
    return pack_model(model)


def _drop_empty_buffers(model: MutableModel, graph: MutableGraph, empty: set[int]) -> None:
    used = {tensor.buffer for tensor in graph.tensors}
    # Buffer 0 is empty by definition of the format.
    kept = [0, *sorted(used - empty - {0})]
    new_index = {old: new for new, old in enumerate(kept)}
    model.buffers = [model.buffers[index] for index in kept]
    for tensor in graph.tensors:
        tensor.buffer = new_index.get(tensor.buffer, 0)


def _text(name: bytes | str | None) -> str:
    return name.decode() if isinstance(name, bytes) else name or ""
