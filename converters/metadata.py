"""The JSON that a TinyCerb .tflite carries inside, so that a lone file explains itself."""

import json
from collections.abc import Mapping
from typing import cast

import numpy as np

from tinycerb.converters.flatbuffer_writer import pack_model, unpack_model
from tinycerb.converters.model_file import ModelFile

METADATA_NAME = "tinycerb"
# Of the metadata and of model.json; raised when a field changes its meaning, not when one is added.
SCHEMA_VERSION = 1
_MOST_BYTES = 2**20
_MOST_ROWS = 65535
_MOST_DIGITS = 20
_MOST_ALPHA = 1e30


def embed_metadata(content: bytes, metadata: Mapping[str, object]) -> bytes:
    """Returns the file with `metadata` as a named buffer; an older one of that name is replaced."""
    schema, model = unpack_model(content)
    buffer = schema.BufferT()
    text = json.dumps(metadata, sort_keys=True, allow_nan=False, separators=(",", ":"))
    buffer.data = np.frombuffer(text.encode(), np.uint8)
    old = [entry for entry in model.metadata or [] if _text(entry.name) == METADATA_NAME]
    if old:
        model.buffers[old[0].buffer] = buffer
    else:
        model.buffers.append(buffer)
        entry = schema.MetadataT()
        entry.name = METADATA_NAME
        entry.buffer = len(model.buffers) - 1
        model.metadata = [*(model.metadata or []), entry]
    return pack_model(model)


class MetadataError(ValueError):
    """The embedded metadata is not what TinyCerb writes."""


def read_metadata(model: ModelFile) -> dict[str, object] | None:
    """Returns the embedded metadata, or None where a file has none.

    Raises:
        MetadataError: the buffer is no JSON object, or its fields contradict the file.
    """
    raw = model.metadata.get(METADATA_NAME)
    if raw is None:
        return None
    metadata = parse_json_object(raw, f"the metadata buffer {METADATA_NAME!r}")
    check_metadata(metadata)
    return metadata


def parse_json_object(raw: bytes, where: str) -> dict[str, object]:
    """Parses JSON of unknown origin.

    Raises:
        MetadataError: too large, too deep, no JSON, NaN or infinity inside, or not an object.
    """
    if len(raw) > _MOST_BYTES:
        raise MetadataError(f"{where} has {len(raw):,} bytes; allowed: up to {_MOST_BYTES:,}")
    try:
        content = json.loads(raw, parse_constant=_refuse_constant, parse_int=_whole_number)
    except (ValueError, RecursionError) as error:
        raise MetadataError(f"{where} holds no valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise MetadataError(f"{where} holds {type(content).__name__}, expected an object")
    return content


def _whole_number(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits; allowed: up to {_MOST_DIGITS}")
    return int(digits)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def head_scales(model: ModelFile, heads: int) -> tuple[float, ...] | None:
    """Returns what one step of each head's int8 outputs is worth as a logit, or None where they are posteriors already.

    The rule that host and device share: a head's logits are the file's outputs times the output's scale over the head's
    alpha; a file that says nothing about itself counts with alphas of 1; a file that ends in SOFTMAX gives codes k/256,
    less 128.

    Args:
        model: a file whose only output are int8 classes.
        heads: how many heads it has where it does not say so itself.

    Raises:
        MetadataError: as `read_metadata`.
    """
    if model.gives_posteriors:
        return None
    metadata = read_metadata(model)
    alphas = [1.0] * heads if metadata is None else cast(list[float], metadata["alphas"])
    scale = next(iter(model.outputs.values())).scales[0]
    return tuple(scale / alpha for alpha in alphas)


def check_metadata(metadata: Mapping[str, object]) -> None:
    """Checks the version, and the fields that others compute with; further ones may be there.

    Raises:
        MetadataError: a field is missing or has a wrong value, or the version is newer than what is known here.
    """
    version = metadata.get("schema_version", SCHEMA_VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise MetadataError(f"schema_version is {version!r:.60}; expected a whole number from 1 to {SCHEMA_VERSION}")
    if version > SCHEMA_VERSION:
        raise MetadataError(
            f"schema_version is {version}; this TinyCerb reads up to {SCHEMA_VERSION}: install the one that wrote it"
        )
    heads, classes, alphas = (metadata.get(key) for key in ("heads", "classes", "alphas"))
    for key, value in (("heads", heads), ("classes", classes)):
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST_ROWS:
            raise MetadataError(f"{key} is {value!r:.60}; expected a whole number from 1 to {_MOST_ROWS:,}")
    if not isinstance(alphas, list) or len(alphas) != heads or not all(map(_is_alpha, alphas)):
        raise MetadataError(f"alphas is {alphas!r:.60}; expected {heads} positive numbers, one per head")
    if not isinstance(metadata.get("combined_by", ""), str):
        raise MetadataError(f"combined_by is {metadata['combined_by']!r:.60}; expected a response's name")
    names = metadata.get("class_names", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise MetadataError(f"class_names is {names!r:.60}; expected a list of texts")


def _is_alpha(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _MOST_ALPHA


def _text(name: bytes | str | None) -> str:
    return name.decode() if isinstance(name, bytes) else name or ""
