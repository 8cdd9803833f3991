"""Options of defences, responses, attacks and configuration sections: declared once, checked, explained and parsed.

A frozen dataclass declares each of its fields with `option`. Checks, `tinycerb ... show`, the tables of the
documentation and the texts of the command line all come from that declaration.
"""

from tinycerb.options.declaration import Option, check_options, option, options_of, text_of
from tinycerb.options.limits import Limits
from tinycerb.options.text import parse_part, part_text, split_parts

__all__ = [
    "Limits", "Option", "check_options", "option", "options_of", "parse_part", "part_text", "split_parts", "text_of",
]  # fmt: skip
