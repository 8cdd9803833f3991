"""What happens to a posterior before it leaves the device: the response part of a defence, one file each.

A response stands in a file's metadata as text, `dcp,tau=.7+rounding,bits=3`, and can be put on an existing model
without retraining. Here is the host's integer reference; `device` gives what the firmware needs to do the same, byte
for byte. Responses are frozen dataclasses: their fields are the options, with meaning and range in their metadata.
"""

# Importing a response registers it.
from tinycerb.answers.responses import (  # noqa: F401
    am,
    dcp,
    edm,
    grad2,
    grad_head,
    mad,
    modelguard_s,
    modelguard_w,
    ntm,
    reverse_sigmoid,
    rounding,
    top1,
    unchanged,
)
from tinycerb.answers.responses.combining import after_combiner, check_heads, combiner_of
from tinycerb.answers.responses.parse import (
    combined_by,
    parse_response,
    portable_text,
    response_text,
    stored_response,
)
from tinycerb.answers.responses.response import RESPONSES, Response, ResponseStep, check_codes, host_only, respond

__all__ = [
    "RESPONSES", "Response", "ResponseStep", "after_combiner", "check_codes", "check_heads", "combined_by",
    "combiner_of", "host_only", "parse_response", "portable_text", "respond", "response_text", "stored_response",
]  # fmt: skip
