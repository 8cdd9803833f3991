"""A commitment: one line that names a key and a model, to be dated by somebody else before there is a quarrel.

Agreement is symmetric: the original agrees with the clone as the clone does with it. What tells them apart is whose
commitment is older and names its model, and whose key draws the teacher that explains the answers.
"""

import hashlib
import hmac
import re
from pathlib import Path

from tinycerb.bounded.files import MOST_TEXT, read_text
from tinycerb.converters.flatbuffer_writer import unpack_model
from tinycerb.converters.model_file import ModelFile
from tinycerb.errors import UsageError

MARK = "tinycerb-ownership-commitment-1:"
_LINE = re.compile(rf"{re.escape(MARK)}([0-9a-f]{{64}})")
_NAME = b"tinycerb ownership commitment 1\0"


def commitment(owner: str, file: ModelFile) -> str:
    """Returns the line for a model: SHA-256 over the key's hash and the model's tensors.

    Args:
        owner: the key's hash, 64 hexadecimal digits.
        file: the model. What it says of itself, and how the file is laid out, change nothing.
    """
    digest = hashlib.sha256(_NAME + bytes.fromhex(owner) + bytes.fromhex(tensors_digest(file)))
    return MARK + digest.hexdigest()


def tensors_digest(file: ModelFile) -> str:
    """Returns the SHA-256 of a model's constant tensors: types, shapes and bytes in their order."""
    _, model = unpack_model(file.content)
    digest = hashlib.sha256()
    for graph in model.subgraphs:
        for tensor in graph.tensors or []:
            content = model.buffers[tensor.buffer].data
            if content is None or not len(content):
                continue
            shape = [] if tensor.shape is None else [int(side) for side in tensor.shape]
            packed = bytes(bytearray(content))
            digest.update(f"{int(tensor.type)} {shape} {len(packed)}\0".encode() + packed)
    return digest.hexdigest()


def check_commitment(named: str, owner: str, file: ModelFile) -> str:
    """Compares a commitment with key and model.

    Args:
        named: the line itself, or a file that holds it.
        owner: the key's hash.
        file: the model.

    Returns:
        The line.

    Raises:
        UsageError: it is no commitment, or one of another key or model.
    """
    text = named.strip() if named.strip().startswith(MARK) else _read(Path(named).expanduser())
    found = _LINE.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{named[:80]} holds no commitment ({MARK} and 64 hexadecimal digits); make one with: tinycerb ownership "
            "commit KEY MODEL"
        )
    wanted = commitment(owner, file)
    if not hmac.compare_digest(text, wanted):
        raise UsageError(
            f"the commitment {found[1][:16]}... names another key or another model; of this key and this model it is "
            f"{wanted.removeprefix(MARK)[:16]}...: nothing that was dated before shows that this model is yours"
        )
    return text


def _read(path: Path) -> str:
    try:
        return read_text(path, MOST_TEXT).strip()
    except OSError as error:
        raise UsageError(f"cannot read the commitment {path}: {error.strerror or error}") from error
    except UnicodeDecodeError:
        return "-"
