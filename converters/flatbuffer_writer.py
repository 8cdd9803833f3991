"""Writes a .tflite model so that equal parts stand in it once."""

import importlib.util
from functools import cache
from pathlib import Path
from typing import cast

import flatbuffers
import numpy as np

from tinycerb.converters.schema import MutableModel, Schema

# What the schema asks of constants, so that processors can load them by words.
_DATA_ALIGNMENT = 16
_WRITERS = {
    "tensorflow": "lite/python/schema_py_generated.py",
    "ai_edge_litert": "schema_py_generated.py",
}


def unpack_model(content: bytes) -> tuple[Schema, MutableModel]:
    """Returns a schema module that can write, and a .tflite file as its mutable objects (`ModelT`)."""
    schema = _schema()
    return schema, schema.ModelT.InitFromPackedBuf(bytearray(content), 0)


@cache
def _schema() -> Schema:
    """The only schema modules that can also write stand inside the runtimes' packages: taken out, for itself.

    Importing TensorFlow takes seconds, prints, and is nothing that a .tflite file needs.
    """
    for package, inside in _WRITERS.items():
        found = importlib.util.find_spec(package)
        for folder in (found.submodule_search_locations or ()) if found else ():
            path = Path(folder, inside)
            spec = importlib.util.spec_from_file_location("tinycerb_tflite_schema", path) if path.is_file() else None
            if spec is not None and spec.loader is not None:
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                return cast(Schema, module)
    raise ModuleNotFoundError("No module named 'ai_edge_litert'", name="ai_edge_litert")


def pack_model(model: MutableModel) -> bytes:
    """Returns the bytes of a `ModelT`."""
    builder = _SharingBuilder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


class _SharingBuilder(flatbuffers.Builder):
    """Writes every vector and string once; later ones of the same content point to the first."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: np.ndarray) -> int:
        key = (x.dtype.str, x.tobytes())
        if key not in self._written:
            if x.dtype == np.uint8:
                self.Prep(_DATA_ALIGNMENT, x.size)
            self._written[key] = super().CreateNumpyVector(x)
        return self._written[key]

    def CreateString(self, s: str | bytes, encoding: str = "utf-8", errors: str = "strict") -> int:
        key = ("text", s.encode(encoding, errors) if isinstance(s, str) else bytes(s))
        if key not in self._written:
            self._written[key] = super().CreateString(s, encoding, errors)
        return self._written[key]
