"""What the device does to every posterior before it answers, and how it makes one of several heads."""

from collections.abc import Mapping
from dataclasses import dataclass

from tinycerb.converters.c_model.layer import Value


@dataclass(frozen=True)
class ResponseStep:
    """A call of one response, with tables that whoever knows the defence has computed.

    Attributes:
        function: the C function's name, in `firmware_stub/include/responses.h` or in `source`.
        parameters: the members of its parameters, whose type is `<function>_parameters`; none where it takes none.
        heads: how many it makes one posterior of, as only the first step can; 0: it takes a posterior.
        source: C99 that defines the function and the type of its parameters, where the runtime does not: it becomes a
            part of model.c. "" where it does.
    """

    function: str
    parameters: Mapping[str, Value]
    heads: int = 0
    source: str = ""
