"""What happens to a posterior before it leaves the device: the response part of a defence, one file each.

A response stands in a file's metadata as text, `dcp,tau=.7+rounding,bits=3`, and can be put on an existing model
without retraining. Here is the host's integer reference; `device` gives what the firmware needs to do the same, byte
for byte. Responses are frozen dataclasses: their fields are the options, with meaning and range in their metadata.
"""

# Importing a response registers it.
from tinycerb.answers.responses import dcp, grad2, mad, modelguard_s, modelguard_w, ntm, rounding, rs, top1, unchanged  # noqa: F401
from tinycerb.answers.responses.parse import parse_response, portable_text, response_text
from tinycerb.answers.responses.response import RESPONSES, Response, ResponseStep, check_codes, respond

__all__ = [
    "RESPONSES", "Response", "ResponseStep", "check_codes", "parse_response", "portable_text", "respond",
    "response_text",
]  # fmt: skip
