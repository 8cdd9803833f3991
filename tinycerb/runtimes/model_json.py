"""`model.json`, read with suspicion: it may come from anywhere."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinycerb.converters.metadata import MetadataError, check_metadata, parse_json_object
from tinycerb.errors import EnvironmentProblem
from tinycerb.seal.files import read_bytes

_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_side_file(path: Path) -> dict[str, Any]:
    """Reads and checks a `model.json`.

    Raises:
        EnvironmentProblem: missing, no JSON, or a field is missing or wrong; the message names it.
    """
    try:
        facts = parse_json_object(read_bytes(path), str(path))
        check_side_file(facts)
    except MetadataError as error:
        raise EnvironmentProblem(f"{path}: {error}; delete it and make it again with: tinycerb convert") from error
    return facts


def check_side_file(facts: Mapping[str, Any]) -> None:
    """Checks the fields that others rely on.

    Raises:
        MetadataError: one is missing or wrong.
    """
    check_metadata(facts)
    if not isinstance(facts.get("sha256"), str) or not _SHA256.fullmatch(facts["sha256"]):
        raise MetadataError(f"sha256 is {facts.get('sha256')!r:.80}; expected 64 hexadecimal digits")
    if not isinstance(facts.get("response"), str):
        raise MetadataError(f"response is {facts.get('response')!r:.80}; expected a text such as 'none'")
    if not isinstance(facts.get("engines"), list) or not isinstance(facts.get("arena"), dict):
        raise MetadataError("engines or arena are missing")
    for kind, names in (("inputs", ("image",)), ("outputs", ("logits",))):
        tensors = facts.get(kind)
        for name in names:
            tensor = tensors.get(name) if isinstance(tensors, dict) else None
            if not isinstance(tensor, dict) or not {"dtype", "shape", "scale", "zero_point"} <= set(tensor):
                raise MetadataError(f"{kind} has no {name!r} with dtype, shape, scale and zero_point")
