"""`golden.h`: the golden vectors as C99 arrays, for a self-test on the device."""

import zlib
from collections.abc import Iterable, Mapping

import numpy as np

from tinycerb.converters.golden import Golden

_PER_LINE = 20


def render_golden_header(golden: Golden, engine: Mapping[str, str]) -> str:
    """Returns the header.

    Args:
        golden: the vectors.
        engine: runtime, version and kernels that gave the answers.
    """
    count, heads, classes = golden.logits.shape
    checksums = [
        zlib.crc32(image.tobytes() + logits.tobytes())
        for image, logits in zip(golden.images, golden.logits, strict=True)
    ]
    return f"""/* Golden vectors of the model with the SHA-256
 * {golden.model_sha256.hex()}
 * answered by {engine["runtime"]} {engine["version"]}, {engine["kernels"]} kernels. The device must answer the same
 * bytes. A vector's CRC-32 (polynomial 0x04C11DB7 reflected, as in zlib) covers its image, then its logits.
 */
#ifndef TINYCERB_GOLDEN_H
#define TINYCERB_GOLDEN_H

#include <stdint.h>

#define TINYCERB_GOLDEN_IMAGES {count}
#define TINYCERB_GOLDEN_IMAGE_BYTES {golden.images.shape[1]}
#define TINYCERB_GOLDEN_HEADS {heads}
#define TINYCERB_GOLDEN_CLASSES {classes}

static const uint8_t tinycerb_golden_model_sha256[32] = {{
{_numbers(golden.model_sha256)}
}};

static const int8_t tinycerb_golden_images[TINYCERB_GOLDEN_IMAGES * TINYCERB_GOLDEN_IMAGE_BYTES] = {{
{_numbers(golden.images.ravel())}
}};

/* Image by image, head by head. */
static const int8_t
    tinycerb_golden_logits[TINYCERB_GOLDEN_IMAGES * TINYCERB_GOLDEN_HEADS * TINYCERB_GOLDEN_CLASSES] = {{
{_numbers(golden.logits.ravel())}
}};

static const uint32_t tinycerb_golden_crc32[TINYCERB_GOLDEN_IMAGES] = {{
{_numbers(f"{checksum:#010x}u" for checksum in checksums)}
}};

#endif /* TINYCERB_GOLDEN_H */
"""


def _numbers(values: Iterable[object] | np.ndarray) -> str:
    texts = [str(value) for value in values]
    lines = [", ".join(texts[start : start + _PER_LINE]) for start in range(0, len(texts), _PER_LINE)]
    return ",\n".join(f"    {line}" for line in lines)
