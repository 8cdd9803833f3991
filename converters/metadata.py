"""The JSON that a TinyCerb .tflite carries inside, so that a lone file explains itself."""

import json
from collections.abc import Mapping
from typing import Any

from converters.model_file import ModelFile

METADATA_NAME = "tinycerb"


def embed_metadata(content: bytes, metadata: Mapping[str, Any]) -> bytes:
    """Returns the file with `metadata` as a named buffer; an older one of that name is replaced."""
    # The only schema module that can also write stands inside TensorFlow.
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    model: Any = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    buffer = schema.BufferT()
    buffer.data = list(json.dumps(metadata, sort_keys=True, allow_nan=False).encode())
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name = METADATA_NAME
    entry.buffer = len(model.buffers) - 1
    others = [old for old in model.metadata or [] if _text(old.name) != METADATA_NAME]
    model.metadata = [*others, entry]
    builder = flatbuffers.Builder(len(content) + 1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def read_metadata(model: ModelFile) -> dict[str, Any] | None:
    """Returns the embedded metadata, or None where a file has none.

    Raises:
        ValueError: the buffer is no JSON object.
    """
    raw = model.metadata.get(METADATA_NAME)
    if raw is None:
        return None
    metadata = json.loads(raw)
    if not isinstance(metadata, dict):
        raise ValueError(f"the metadata buffer {METADATA_NAME!r} holds {type(metadata).__name__}, expected an object")
    return metadata


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name
