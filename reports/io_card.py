"""The input and output card: how an image becomes the model's input, and its answer a number."""

from typing import TypedDict


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
            if scale is None:
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
    image, answer = facts["inputs"]["image"], facts["outputs"]["logits"]
    head = ", head=np.array([head], np.int32)" if "head" in facts["inputs"] else ""
    return [
        f"codes = np.clip(np.rint(pixels / 255 / {image['scale']!r} {image['zero_point']:+d}), -128, 127)"
        ".astype(np.int8)[np.newaxis]",
        f'answer = interpreter.get_signature_runner()(image=codes{head})["logits"][0]',
        f"logits = (answer.astype(float) {-answer['zero_point']:+d}) * {answer['scale']!r} / {facts['alphas']}[head]",
    ]


def c_lines(facts: FileFacts) -> list[str]:
    """Returns three lines of C: the input from `pixels` (uint8_t), the head, and logit `k` of the answer.

    They expect `image`, `head_input` and `answer`, pointers to the tensors' data, and `alphas` of resolver.h.
    """
    image, answer = facts["inputs"]["image"], facts["outputs"]["logits"]
    count = 1
    for size in image["shape"]:
        count *= size
    if is_plain(facts):
        code = f"(int8_t)(pixels[i] - {-image['zero_point']})"
    else:
        code = (
            f"(int8_t)fmaxf(-128, fminf(127, rintf(pixels[i] / 255.0f / {image['scale']:.9g}f "
            f"{image['zero_point']:+d})))"
        )
    head = f"*head_input = (int32_t)head; /* 0 to {facts['heads'] - 1}, before EVERY Invoke() */"
    if "head" not in facts["inputs"]:
        head = "int head = 0; /* the model has one head */"
    return [
        f"for (int i = 0; i < {count}; i++) image[i] = {code};",
        head,
        f"float logit = (float)(answer[k] - ({answer['zero_point']})) * {answer['scale']:.9g}f / alphas[head];",
    ]


def is_plain(facts: FileFacts) -> bool:
    """Returns whether the input is a pixel 0..255 minus a number, so that the device need not scale."""
    image = facts["inputs"]["image"]
    return abs(image["scale"] * 255 - 1) < 1e-5 and image["zero_point"] == -128


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
