"""Takes in an int8 .tflite that TinyCerb did not make: its ends get names, so that they are found by name."""

from typing import Any

from tinycerb.converters.flatbuffer_writer import pack_model, unpack_model
from tinycerb.converters.model_file import ModelFile, Tensor


class ForeignModelError(ValueError):
    """The file is no int8 classifier of one image."""


def adopt(file: ModelFile) -> bytes:
    """Returns the file with the signature `image` to `logits`; it counts as a model of one head.

    Raises:
        ForeignModelError: more than one input or output, another type than int8, or a batch that is not 1.
    """
    image, answer = _ends(file)
    schema, model = unpack_model(file.content)
    signature = schema.SignatureDefT()
    signature.signatureKey = "serving_default"
    signature.subgraphIndex = 0
    signature.inputs = [_map(schema, "image", image)]
    signature.outputs = [_map(schema, "logits", answer)]
    model.signatureDefs = [signature]
    return pack_model(model)


def _map(schema: Any, name: str, tensor: Tensor) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, tensor.index
    return entry


def _ends(file: ModelFile) -> tuple[Tensor, Tensor]:
    ends = []
    for kind, tensors in (("input", file.graph_inputs), ("output", file.graph_outputs)):
        found = ", ".join(f"{tensor.dtype} {list(tensor.shape)}" for tensor in tensors)
        if len(tensors) != 1:
            raise ForeignModelError(f"the file has {len(tensors)} {kind}s ({found}); expected one {kind}")
        (tensor,) = tensors
        ranks = (2, 3, 4) if kind == "input" else (2,)
        sound = tensor.dtype == "int8" and len(tensor.shape) in ranks and tensor.shape[0] == 1
        if not sound or len(tensor.scales) != 1 or len(tensor.zero_points) != 1:
            raise ForeignModelError(
                f"the file's {kind} is {found}; expected int8 with one scale, batch 1, rank "
                f"{' or '.join(map(str, ranks))}: convert it with inference_input_type and inference_output_type int8"
            )
        ends.append(tensor)
    return ends[0], ends[1]
