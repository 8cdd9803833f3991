"""The JSON that a TinyCerb .tflite carries inside, so that a lone file explains itself."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from converters.flatbuffer_writer import read_object, write_object
from converters.model_file import ModelFile

METADATA_NAME = "tinycerb"


def embed_metadata(content: bytes, metadata: Mapping[str, Any]) -> bytes:
    """Returns the file with `metadata` as a named buffer; an older one of that name is replaced."""
    from tensorflow.lite.python import schema_py_generated as schema

    model = read_object(content)
    buffer: Any = schema.BufferT()
    buffer.data = np.frombuffer(
        json.dumps(metadata, sort_keys=True, allow_nan=False, separators=(",", ":")).encode(), np.uint8
    )
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name = METADATA_NAME
    entry.buffer = len(model.buffers) - 1
    others = [old for old in model.metadata or [] if _text(old.name) != METADATA_NAME]
    model.metadata = [*others, entry]
    return write_object(model)


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
