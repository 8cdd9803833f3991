"""The input and output card: how an image becomes the model's input, and its answer a number."""

from math import prod
from typing import TypedDict, cast


class TensorFacts(TypedDict):
    """An input or output; scale and zero point are None where its integers stand for themselves."""

    dtype: str
    shape: list[int]
    scale: float | None
    zero_point: int | None


class FileFacts(TypedDict):
    """What is shown of a `model.json`."""

    inputs: dict[str, TensorFacts]
    outputs: dict[str, TensorFacts]
    heads: int
    alphas: list[float]


def io_rows(facts: FileFacts) -> list[tuple[str, str, str, str, str, str]]:
    """Returns per tensor: its name, type, shape, scale, zero point and the real values that it can hold.

    Args:
        facts: a `model.json`.
    """
    rows = []
    for kind in ("inputs", "outputs"):
        for name, tensor in facts[kind].items():
            scale, zero_point = tensor["scale"], tensor["zero_point"]
            shape = str(list(tensor["shape"]))
            if scale is None or zero_point is None:
                span = f"0 .. {facts['heads'] - 1}" if name == "head" else "-"
                rows.append((name, tensor["dtype"], shape, "-", "-", span))
                continue
            low, high = ((code - zero_point) * scale for code in (-128, 127))
            rows.append((name, tensor["dtype"], shape, f"{scale:.9g}", str(zero_point), f"{low:.4g} .. {high:.4g}"))
    return rows


def python_lines(facts: FileFacts) -> list[str]:
    """Returns three lines of Python from `pixels` (uint8 [height, width, channels]) and `head` to float logits.

    They expect `numpy as np`, and `interpreter`, a TFLite Interpreter with its tensors allocated.
    """
    (scale, zero_point), (step, zero) = _quantization(facts)
    head = ", head=np.array([head], np.int32)" if "head" in facts["inputs"] else ""
    return [
        f"codes = np.clip(np.rint(pixels / 255 / {scale!r} {zero_point:+d}), -128, 127).astype(np.int8)[np.newaxis]",
        f'answer = interpreter.get_signature_runner()(image=codes{head})["logits"][0]',
        f"logits = (answer.astype(float) {-zero:+d}) * {step!r} / {facts['alphas']}[head]",
    ]


def c_lines(facts: FileFacts) -> list[str]:
    """Returns three lines of C: the input from `pixels` (uint8_t), the head, and logit `k` of the answer.

    They expect `image`, `head_input` and `answer`, pointers to the tensors' data, and `alphas` of resolver.h.
    """
    (scale, zero_point), (step, zero) = _quantization(facts)
    count = prod(facts["inputs"]["image"]["shape"])
    if is_plain(facts):
        code = f"(int8_t)(pixels[i] - {-zero_point})"
    else:
        # In double: single precision rounds some pixels the other way.
        code = f"(int8_t)fmax(-128, fmin(127, rint(pixels[i] / 255.0 / {scale!r} {zero_point:+d})))"
    head = f"*head_input = (int32_t)head; /* 0 to {facts['heads'] - 1}, before EVERY Invoke() */"
    if "head" not in facts["inputs"]:
        head = "int head = 0; /* the model has one head */"
    return [
        f"for (int i = 0; i < {count}; i++) image[i] = {code};",
        head,
        f"float logit = (float)(answer[k] - ({zero})) * {step:.9g}f / alphas[head];",
    ]


def is_plain(facts: FileFacts) -> bool:
    """Returns whether the input is a pixel 0..255 minus 128 for every pixel, so that the device need not scale."""
    (scale, zero_point), _ = _quantization(facts)
    return all(round(pixel / 255 / scale + zero_point) == pixel - 128 for pixel in range(256))


def _quantization(facts: FileFacts) -> tuple[tuple[float, int], tuple[float, int]]:
    """Scale and zero point of the image and of the logits."""
    image, logits = (
        (tensor["scale"], tensor["zero_point"]) for tensor in (facts["inputs"]["image"], facts["outputs"]["logits"])
    )
    if None in (*image, *logits):
        raise ValueError("image or logits have no scale and zero point; expected an int8 file")
    return cast(tuple[float, int], image), cast(tuple[float, int], logits)


def render_io_card(facts: FileFacts) -> str:
    """Returns the card for a terminal."""
    rows = [("tensor", "type", "shape", "scale", "zero point", "real values"), *io_rows(facts)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    indented = [f"    {line}" for line in python_lines(facts)], [f"    {line}" for line in c_lines(facts)]
    return "\n".join([*table, "  Python:", *indented[0], "  C:", *indented[1]])


def markdown_io_card(facts: FileFacts) -> list[str]:
    """Returns the card as lines of Markdown."""
    return [
        "| tensor | type | shape | scale | zero point | real values |",
        "|---|---|---|---|---|---|",
        *(f"| `{name}` | {' | '.join(rest)} |" for name, *rest in io_rows(facts)),
        "",
        "```python",
        *python_lines(facts),
        "```",
        "",
        "```c",
        *c_lines(facts),
        "```",
    ]
