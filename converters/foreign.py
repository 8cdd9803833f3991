"""Takes in an int8 .tflite that TinyCerb did not make: its ends get names, so that they are found by name."""

from tinycerb.converters.flatbuffer_writer import pack_model, unpack_model
from tinycerb.converters.fold_shapes import OpenShapeError, fold_shapes
from tinycerb.converters.model_file import ModelFile, Tensor
from tinycerb.converters.number_formats import how_to_int8
from tinycerb.converters.schema import MutableEnd, Schema


class ForeignModelError(ValueError):
    """The file is no int8 classifier of one image."""


def adopt(file: ModelFile) -> bytes:
    """Returns the file with the signature `image` to `logits`; it counts as a model of one head.

    Raises:
        ForeignModelError: more than one input or output, another type than int8, a batch that is not 1, or shapes that
            are known only while it runs.
    """
    image, answer = _ends(file)
    try:
        content = fold_shapes(file.content)
    except OpenShapeError as error:
        raise ForeignModelError(str(error)) from error
    schema, model = unpack_model(content)
    signature = schema.SignatureDefT()
    signature.signatureKey = "serving_default"
    signature.subgraphIndex = 0
    signature.inputs = [_map(schema, "image", image)]
    signature.outputs = [_map(schema, "logits", answer)]
    model.signatureDefs = [signature]
    return pack_model(model)


def _map(schema: Schema, name: str, tensor: Tensor) -> MutableEnd:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, tensor.index
    return entry


def _ends(file: ModelFile) -> tuple[Tensor, Tensor]:
    ends = []
    for kind, tensors, ranks, layout in (
        ("input", file.graph_inputs, (2, 3, 4), "[1, height, width, channels], or with fewer axes behind the 1"),
        ("output", file.graph_outputs, (2,), "[1, classes]: end the network in Flatten or Dense"),
    ):
        found = ", ".join(f"{tensor.dtype} {list(tensor.shape)}" for tensor in tensors)
        if len(tensors) != 1:
            raise ForeignModelError(f"the file has {len(tensors)} {kind}s ({found}); expected one {kind}")
        (tensor,) = tensors
        if tensor.dtype != "int8":
            raise ForeignModelError(f"the file's {kind} is {found}; expected int8; {how_to_int8(file)}")
        if len(tensor.shape) not in ranks:
            raise ForeignModelError(f"the file's {kind} has the shape {list(tensor.shape)}; expected {layout}")
        if tensor.shape[0] != 1:
            raise ForeignModelError(
                f"the file's {kind} is a batch of {tensor.shape[0]} ({found}); expected 1: convert the network with "
                "batch_size=1 in its Input"
            )
        if len(tensor.scales) != 1 or len(tensor.zero_points) != 1:
            raise ForeignModelError(
                f"the file's {kind} has {len(tensor.scales)} scales and {len(tensor.zero_points)} zero points; "
                "expected one each, as a converter writes them"
            )
        ends.append(tensor)
    return ends[0], ends[1]
