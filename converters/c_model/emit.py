"""Writes model.h and model.c."""

from collections.abc import Mapping

import numpy as np

from tinycerb.converters.c_model.layer import Array, Value
from tinycerb.converters.c_model.model import CModel
from tinycerb.converters.c_model.response import ResponseStep
from tinycerb.converters.pixel_codes import image_range, is_plain, pixel_codes

_CMSIS_NN = """#ifndef TINYCERB_CMSIS_NN
#error "this model.c is for CMSIS-NN's kernels: give -DTINYCERB_CMSIS_NN_ROOT=, or convert it again without them"
#endif
#include "cmsis_nn.h"

"""
_C_TYPES = {"int8": "int8_t", "int32": "int32_t", "uint8": "uint8_t", "uint16": "uint16_t"}


_PLAIN = """static inline int8_t tc_quantize_pixel(uint8_t pixel) {
    return (int8_t)(pixel - 128);
}"""
_TABLE = """#ifdef __cplusplus
extern "C"
#else
extern
#endif
    const int8_t tc_pixel_codes[256];
static inline int8_t tc_quantize_pixel(uint8_t pixel) {
    return tc_pixel_codes[pixel];
}"""


def emit_header(model: CModel) -> str:
    """Returns model.h: sizes for the application's buffers, and how pixels become the input."""
    image = model.image
    low, high = image_range(image)
    return f"""/* Made by TinyCerb from a .tflite file with SHA-256
 * {model.hash.hex()}. Do not edit. */
#ifndef TINYCERB_MODEL_H
#define TINYCERB_MODEL_H

#include "tinycerb.h"

#define TC_MODEL_HASH "{model.hash.hex()}"
#define TC_KERNELS "{model.target.kernels}"
#define TC_INPUT_BYTES {model.image.bytes}
#define TC_OUTPUT_BYTES {model.output.bytes}
#define TC_ANSWER_BYTES {model.answer_bytes}
#define TC_ANSWERED {int(model.answered)} /* whether the outputs are classes, which tc_answer takes */
#define TC_HEADS {model.heads}
#define TC_LAYERS {len(model.layers)}
#define TC_ARENA_BYTES {model.arena.total_bytes}

/* The input stands for (code - zero point) * scale: {low:.6g} to {high:.6g}. */
#define TC_INPUT_SCALE {_float(image.scales[0])}
#define TC_INPUT_ZERO_POINT ({image.zero_points[0]})

/* The input's code of a pixel 0..255, which stands for pixel / 255. */
{_PLAIN if is_plain(pixel_codes(image)) else _TABLE}

#endif
"""


def _float(value: float) -> str:
    text = f"{value:.9g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def emit_source(model: CModel) -> str:
    """Returns model.c: constants, layer table, arena."""
    writer = _Writer()
    rows = []
    for position, layer in enumerate(model.layers):
        parameters = writer.value(layer.parameters, f"layer_{position}")
        kind = layer.parameters_type or f"{layer.kernel}_parameters"
        writer.parts.append(f"static const {kind} layer_{position} = {parameters};\n")
        inputs = [
            writer.array(layer.constants[tensor], f"layer_{position}_input")
            if tensor in layer.constants
            else f"arena + {model.arena.tensors[tensor]}"
            for tensor in layer.inputs
        ]
        scratch = f"arena + {model.arena.scratch[position]}" if position in model.arena.scratch else "0"
        first, second = (*inputs, "0")[:2]
        output = f"arena + {model.arena.tensors[layer.output]}"
        rows.append(f"    {{{layer.kernel}, &layer_{position}, {first}, {second}, {output}, {scratch}}},\n")
    scales = "0"
    if model.answer_scales:
        body = ", ".join(writer.value(scale, "") for scale in model.answer_scales)
        writer.parts.append(f"static const tc_softmax_scale answer_scales[] = {{{body}}};\n")
        scales = "answer_scales"
    responses = _responses(model, writer)
    combiner = "0"
    if model.combiner:
        row = _step(model.combiner, "combined", writer)
        writer.parts.append(f"static const tc_combiner combiner = {row};\n")
        combiner = "&combiner"
    codes = pixel_codes(model.image)
    if not is_plain(codes):
        body = ",\n    ".join(", ".join(map(str, codes[at : at + 16])) for at in range(0, 256, 16))
        writer.parts.append(f"\nconst int8_t tc_pixel_codes[256] = {{\n    {body}}};\n")
    hash_bytes = ", ".join(f"0x{byte:02x}" for byte in model.hash)
    return "".join(
        [
            "/* Made by TinyCerb; see model.h. Do not edit. */\n",
            '#include "kernels.h"\n#include "model.h"\n#include "responses.h"\n\n',
            _CMSIS_NN if model.target.cmsis_nn else "",
            *(f"{step.source.rstrip()}\n\n" for step in (*model.responses, model.combiner) if step and step.source),
            "static int8_t arena[TC_ARENA_BYTES] __attribute__((aligned(16)));\n\n",
            *writer.parts,
            "\nstatic const tc_layer layers[] = {\n",
            *rows,
            "};\n\nconst tc_model tc_model_instance = {\n",
            f"    .hash = {{{hash_bytes}}},\n",
            "    .layers = layers,\n    .layer_count = TC_LAYERS,\n",
            "    .arena = arena,\n    .arena_bytes = TC_ARENA_BYTES,\n",
            f"    .input = arena + {model.arena.tensors[model.image.index]},\n    .input_bytes = TC_INPUT_BYTES,\n",
            f"    .output = arena + {model.arena.tensors[model.output.index]},\n",
            "    .output_bytes = TC_OUTPUT_BYTES,\n    .answer_bytes = TC_ANSWER_BYTES,\n    .heads = TC_HEADS,\n",
            f"    .answer_scales = {scales},\n    .combiner = {combiner},\n",
            f"    .responses = {responses},\n    .response_count = {len(model.responses)},\n}};\n",
        ]
    )


def _responses(model: CModel, writer: "_Writer") -> str:
    """Writes the responses' tables and returns the name of their list."""
    rows = [_step(step, f"response_{position}", writer) for position, step in enumerate(model.responses)]
    if not rows:
        return "0"
    writer.parts.append(f"static const tc_response responses[] = {{{', '.join(rows)}}};\n")
    return "responses"


def _step(step: ResponseStep, name: str, writer: "_Writer") -> str:
    """Writes a step's parameters and returns its function and where they are."""
    if step.parameters:
        body = writer.value(step.parameters, name)
        writer.parts.append(f"static const {step.function}_parameters {name} = {body};\n")
    return f"{{{step.function}, {f'&{name}' if step.parameters else '0'}}}"


class _Writer:
    """Renders values; equal arrays are written once."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._known: dict[tuple[str, bytes], str] = {}

    def value(self, value: Value, name: str) -> str:
        if isinstance(value, Array):
            return self.array(value, name)
        if isinstance(value, Mapping):
            return "{" + ", ".join(f".{key} = {self.value(part, f'{name}_{key}')}" for key, part in value.items()) + "}"
        if isinstance(value, tuple):
            return "{" + ", ".join(map(str, value)) + "}"
        return str(int(value))

    def array(self, array: Array, name: str) -> str:
        values = np.ascontiguousarray(array.values).reshape(-1)
        key = (values.dtype.name, values.tobytes())
        if key not in self._known:
            self._known[key] = name
            kind = _C_TYPES[values.dtype.name]
            lines = [", ".join(map(str, values[at : at + 24])) for at in range(0, len(values), 24)]
            body = ",\n    ".join(lines)
            # Vector kernels read weights in whole words.
            self.parts.append(f"static const {kind} {name}[] __attribute__((aligned(8))) = {{\n    {body}}};\n")
        return self._known[key]
