"""Responses as text: `NAME,option=value,...`, several joined by `+`."""

from typing import Any

import numpy as np

from tinycerb.answers.normalise import normalise
from tinycerb.answers.responses.chain import Combined
from tinycerb.answers.responses.combining import Combiner, after_combiner, combiner_of
from tinycerb.answers.responses.response import RESPONSES, Response, respond
from tinycerb.errors import UsageError, suggest
from tinycerb.options import options_of, parse_part, part_text, split_parts


def parse_response(text: str) -> Response:
    """Makes a response from `NAME[,option=value,...]`, or from several joined by `+`.

    Raises:
        UsageError: unknown name or option, a value that is not allowed, or a combination that makes no sense.
    """
    return _parse(text, stored=False)


def stored_response(text: str) -> Response:
    """The same for a text that stands in a model's file, which may come from anywhere: it may name no other file.

    Raises:
        UsageError: as `parse_response`, or an option that is a path.
    """
    return _parse(text, stored=True)


def combined_by(text: str) -> str:
    """Returns the name of the response in a chain that reads all heads of a file, "" where heads answer alone."""
    combiner = combiner_of(parse_response(text))
    return combiner.name if combiner else ""


def _parse(text: str, stored: bool) -> Response:
    parts = tuple(_parse_one(part, stored) for part in split_parts(text, RESPONSES))
    if len(parts) == 1:
        return parts[0]
    names = [part.name for part in parts]
    for position, part in enumerate(parts):
        if part.name == "none":
            raise UsageError(f"response {text!r} combines 'none' with others; leave it out")
        if part.name in names[:position]:
            raise UsageError(f"response {text!r} has {part.name!r} twice; give it once, with other options")
        if isinstance(part, Combiner) and position > 0:
            raise UsageError(f"in response {text!r} {part.name!r} reads the heads of a file; put it first")
        if part.final and position < len(parts) - 1:
            raise UsageError(f"in response {text!r} nothing may follow {part.name!r}; put it last")
    return Combined(parts)


def portable_text(text: str, classes: int) -> str:
    """Checks a response for a model, and returns its text with nothing in it that only this machine has.

    Raises:
        UsageError: as `parse_response`, or the response is made for another number of classes.
    """
    response = parse_response(text)
    rest = after_combiner(response)
    if rest.name != "none":
        respond(rest, normalise(np.ones((1, classes), np.uint8)))
    return response_text(response) if "file=" in text else text


def response_text(response: Response) -> str:
    """Returns the text that `parse_response` makes an equal response from, on any machine: with contents of files."""
    if isinstance(response, Combined):
        return "+".join(response_text(part) for part in response.parts)
    embed = getattr(response, "embedded", None)
    whole: Any = embed() if embed else response
    known = options_of(type(whole))
    values = {name: getattr(whole, name) for name in known}
    return part_text(whole.name, {name: value for name, value in values.items() if value != known[name].default})


def _parse_one(text: str, stored: bool) -> Response:
    named = text.split(",")[0].strip()
    if stored and named not in RESPONSES:
        raise UsageError(
            f"the model's file has the response {named[:60]!r}, which is not known here{suggest(named, RESPONSES)}; if "
            f"it is a plugin's, name that: --plugin MODULE; known: {', '.join(RESPONSES)}"
        )
    name, options = parse_part(text, RESPONSES)
    for key, value in options.items():
        if stored and options_of(RESPONSES[name])[key].limits.local:
            raise UsageError(
                f"the model's file names {str(value)[:60]!r} for {key} of response {name!r}: it may name no other "
                f"file, and that one is not read. Put the response on the model here: tinycerb convert MODEL --out DIR "
                f"--response {name},{key}=..."
            )
    return RESPONSES[name](**options)
