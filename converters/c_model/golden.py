"""Golden vectors: images and the checksum of what every head must say to them."""

import zlib

import numpy as np


def emit_golden_header(count: int) -> str:
    """Returns golden.h."""
    return f"""/* Made by TinyCerb. Do not edit. */
#ifndef TINYCERB_GOLDEN_H
#define TINYCERB_GOLDEN_H

#include "model.h"

#define TC_GOLDEN_COUNT {count}

extern const int8_t tc_golden_images[TC_GOLDEN_COUNT][TC_INPUT_BYTES];
/* CRC-32 of the logits of all heads, one head after the other. */
extern const uint32_t tc_golden_crcs[TC_GOLDEN_COUNT];

#endif
"""


def emit_golden_source(images: np.ndarray, outputs: np.ndarray) -> str:
    """Returns golden.c.

    Args:
        images: int8 [N, ...].
        outputs: int8 [N, heads, output bytes], from TFLite's reference kernels.
    """
    rows = ",\n".join(
        "    {" + ",\n     ".join(", ".join(map(str, flat[at : at + 24])) for at in range(0, len(flat), 24)) + "}"
        for flat in (image.reshape(-1) for image in images)
    )
    crcs = ", ".join(f"0x{zlib.crc32(np.ascontiguousarray(answer).tobytes()):08x}u" for answer in outputs)
    return (
        f'/* Made by TinyCerb. Do not edit. */\n#include "golden.h"\n\n'
        f"const int8_t tc_golden_images[TC_GOLDEN_COUNT][TC_INPUT_BYTES] = {{\n{rows}}};\n\n"
        f"const uint32_t tc_golden_crcs[TC_GOLDEN_COUNT] = {{{crcs}}};\n"
    )
