"""What the device does to every posterior before it answers."""

from collections.abc import Mapping
from dataclasses import dataclass

from converters.c_model.layer import Value


@dataclass(frozen=True)
class ResponseStep:
    """A call of one response, with tables that whoever knows the defence has computed.

    Attributes:
        function: the C function's name in `firmware_stub/include/responses.h`.
        parameters: the members of its parameters, whose type is `<function>_parameters`; none where it takes none.
    """

    function: str
    parameters: Mapping[str, Value]
