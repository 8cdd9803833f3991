"""`model.json`, read with suspicion: it may come from anywhere."""

from pathlib import Path

from tinycerb.converters.metadata import MetadataError, parse_json_object
from tinycerb.errors import EnvironmentProblem
from tinycerb.file_names import MODEL_JSON
from tinycerb.runtimes.model_card import BundleCard
from tinycerb.seal.files import read_bytes


def read_model_json(path: Path) -> BundleCard:
    """Reads and checks a `model.json`.

    Raises:
        EnvironmentProblem: missing, no JSON, or a field is missing or wrong; the message names it.
    """
    try:
        return parse_model_json(read_bytes(path))
    except MetadataError as error:
        raise EnvironmentProblem(f"{path}: {error}; delete it and make it again with: tinycerb convert") from error


def parse_model_json(content: bytes) -> BundleCard:
    """Returns what the bytes of a `model.json` say.

    Raises:
        MetadataError: no JSON, or a field is missing or wrong; the message names it.
    """
    return BundleCard.from_json(parse_json_object(content, MODEL_JSON))
