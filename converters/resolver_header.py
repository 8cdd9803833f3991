"""`resolver.h`: exactly the operators that a file needs, and the memory it needs, for users of TFLite Micro."""

from collections.abc import Sequence
from typing import TypedDict

from tinycerb.converters.known_operators import tflm_methods
from tinycerb.converters.model_file import ModelFile


class ResolverError(ValueError):
    """The file holds an operator that TFLite Micro does not know."""


class ArenaFacts(TypedDict):
    """How much memory TFLite Micro takes, and how that is known, in words."""

    arena_bytes: int
    origin: str


class ResolverFacts(TypedDict):
    """What the header says beside the operators."""

    sha256: str
    heads: int
    classes: int
    alphas: Sequence[float]
    arena: ArenaFacts


def render_resolver(model: ModelFile, facts: ResolverFacts) -> str:
    """Returns the C++ header.

    Args:
        model: a file of one subgraph with the input `image` and, unless it has one head, `head`.
        facts: of its `model.json`.

    Raises:
        ResolverError: TFLite Micro has no such operator.
    """
    names = sorted({operator.name for operator in model.operators})
    unknown = [name for name in names if name not in tflm_methods()]
    if unknown:
        raise ResolverError(f"TFLite Micro has no {', '.join(unknown)}; no resolver.h can be made for this file")
    order = list(model.graph_inputs)
    arena = facts["arena"]
    alphas = ", ".join(f"{alpha:.9g}" + ("f" if "." in f"{alpha:.9g}" else ".0f") for alpha in facts["alphas"])
    positions = "\n".join(
        f"constexpr int k{name.capitalize()}Input = {order.index(model.inputs[name])};"
        for name in ("image", "head")
        if name in model.inputs
    )
    if "head" in model.inputs:
        positions += (
            "\n// For code that serves models with and without a choice of heads.\n#define TINYCERB_HEAD_INPUT 1"
        )
    registrations = "\n".join(
        f"  if (resolver.{tflm_methods()[name]}() != kTfLiteOk) return kTfLiteError;" for name in names
    )
    return f"""// Made by tinycerb convert for the file with the SHA-256
// {facts["sha256"]}
#ifndef TINYCERB_RESOLVER_H_
#define TINYCERB_RESOLVER_H_

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

// {arena["origin"]}
#define TINYCERB_ARENA_BYTES {arena["arena_bytes"]}

namespace tinycerb {{

constexpr unsigned int kOperators = {len(names)};
using Resolver = tflite::MicroMutableOpResolver<kOperators>;

// Positions for MicroInterpreter::input(). Write EVERY input before EVERY Invoke(): it reuses their memory.
{positions}

// logit = (answer - zero point) * scale / kAlphas[head]
constexpr int kHeads = {facts["heads"]};
constexpr int kClasses = {facts["classes"]};
constexpr float kAlphas[kHeads] = {{{alphas}}};

inline TfLiteStatus RegisterOperators(Resolver& resolver) {{
{registrations}
  return kTfLiteOk;
}}

}}  // namespace tinycerb

#endif  // TINYCERB_RESOLVER_H_
"""
