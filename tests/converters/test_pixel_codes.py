"""Pixels to int8: one rule for host, model.h, cards and metadata; training leaves it at pixel minus 128."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.flatbuffer_model import FlatModel
from tinycerb.boards.build import firmware_folder
from tinycerb.compression.quantization import quantize_aware
from tinycerb.conversion.from_tflite import convert_tflite
from tinycerb.conversion.options import ConversionOptions
from tinycerb.conversion.trained_model import from_quantization_aware
from tinycerb.converters.c_model.host import write_model
from tinycerb.converters.c_model.model import lower_model
from tinycerb.converters.export import export_int8, spanning
from tinycerb.converters.metadata import read_metadata
from tinycerb.converters.model_file import parse_model
from tinycerb.converters.pixel_codes import image_range, is_plain, pixel_codes
from tinycerb.converters.wide_head import Head
from tinycerb.keras_models.legacy import keras, named_layer
from tinycerb.reports.io_card import TensorFacts, c_lines

SCALES = [(1 / 255, -128), (0.85 / 255, -128), (1 / 127.5, -1), (0.0123, 7), (0.5 / 255, -128), (2.0, 0), (1e-7, 3)]
MAIN = """#include "model.h"
#include <stdio.h>
int main(void) {
    for (int i = 0; i < 256; i++) printf("%d ", tc_quantize_pixel((uint8_t)i));
    printf("%.9g %d", (double)TC_INPUT_SCALE, TC_INPUT_ZERO_POINT);
    return 0;
}
"""


def relu_of(scale: float, zero_point: int) -> bytes:
    flat = FlatModel()
    source = flat.tensor([1, 256], [scale], [zero_point], name="image")
    return flat.finish([source], flat.operator("RELU", [source], flat.tensor([1, 256], [scale], [zero_point])))


@pytest.mark.parametrize(("scale", "zero_point"), SCALES)
@pytest.mark.parametrize("compiler", ["gcc", "g++"])
def test_model_h_quantizes_every_pixel_as_the_host(
    tmp_path: Path, scale: float, zero_point: int, compiler: str
) -> None:
    file = parse_model(relu_of(scale, zero_point))
    image = file.inputs["image"]
    write_model(lower_model(file), tmp_path)
    (tmp_path / "main.c").write_text(MAIN)
    includes = [f"-I{firmware_folder() / part}" for part in ("include", "kernels")]
    flags = ["-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-ffunction-sections", "-Wl,--gc-sections"]
    # model.c is C; tables alone are taken of it.
    strip = ["-fdata-sections", *includes]
    subprocess.run(["gcc", "-std=c99", *strip, "-c", "model.c", "-o", "model.o"], check=True, cwd=tmp_path)
    language = ["-x", "c++"] if compiler == "g++" else ["-x", "c", "-std=c99"]
    command = [compiler, *flags, *includes, *language, "main.c", "-x", "none", "model.o", "-o", "main"]
    subprocess.run(command, check=True, cwd=tmp_path)
    *codes, told_scale, told_zero = subprocess.run(
        [tmp_path / "main"], capture_output=True, text=True, check=True
    ).stdout.split()
    exact = np.arange(256) / 255 / image.scales[0] + zero_point
    assert [int(code) for code in codes] == np.clip(np.rint(exact), -128, 127).astype(int).tolist()
    assert np.float32(told_scale) == np.float32(scale)
    assert int(told_zero) == zero_point
    assert ("tc_pixel_codes" in (tmp_path / "model.h").read_text()) == (scale != 1 / 255)


def test_the_lines_of_the_card_agree(tmp_path: Path) -> None:
    """In single precision 33 pixels of the third scale, halves all, would be rounded the other way."""
    for scale, zero_point in SCALES:
        image = parse_model(relu_of(scale, zero_point)).inputs["image"]
        ends: TensorFacts = {"dtype": "int8", "shape": [1, 256], "scale": image.scales[0], "zero_point": zero_point}
        line, *_ = c_lines({"inputs": {"image": ends}, "outputs": {"logits": ends}, "heads": 1, "alphas": [1.0]})
        body = f"for (int i = 0; i < 256; i++) pixels[i] = (uint8_t)i; {line}"
        tail = 'for (int i = 0; i < 256; i++) printf("%d ", image[i]); return 0; }'
        source = (
            "#include <math.h>\n#include <stdint.h>\n#include <stdio.h>\nint main(void) { static uint8_t pixels[256]; "
        )
        (tmp_path / "main.c").write_text(f"{source} static int8_t image[256]; {body} {tail}\n")
        subprocess.run(["gcc", "-std=c99", "main.c", "-lm", "-o", "main"], check=True, cwd=tmp_path)
        told = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True).stdout.split()
        assert [int(code) for code in told] == pixel_codes(image).tolist(), scale


def test_cards_say_what_the_file_says(tmp_path: Path) -> None:
    for scale, zero_point, span in ((1 / 255, -128, [0.0, 1.0]), (0.01, 10, [-1.38, 1.17])):
        content = relu_of(scale, zero_point)
        path = tmp_path / f"{zero_point}.tflite"
        path.write_bytes(content)
        card = convert_tflite(path, tmp_path / str(zero_point), ConversionOptions()).card
        assert list(card.image_range or ()) == span
        inside = read_metadata(parse_model((tmp_path / str(zero_point) / "model.tflite").read_bytes())) or {}
        assert inside["image_range"] == span


def _one_head() -> keras.Model:
    image = keras.Input((6, 6, 1))
    features = keras.layers.GlobalAveragePooling2D(name="features")(keras.layers.Conv2D(4, 3)(image))
    return keras.Model(image, keras.layers.Dense(3, name="head_0")(features))


@pytest.mark.parametrize("keep_zeros", [False, True])
def test_training_on_dark_images_leaves_pixel_minus_128(keep_zeros: bool) -> None:
    model = quantize_aware(_one_head(), keep_zeros)
    dark = np.random.default_rng(0).uniform(0, 0.7, (16, 6, 6, 1)).astype(np.float32)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.train_on_batch(dark, np.arange(16) % 3)
    taken = from_quantization_aware(model, 1)
    file = parse_model(export_int8(taken.backbone, taken.heads, (6, 6, 1), {}))
    image = file.inputs["image"]
    assert is_plain(pixel_codes(image))
    assert (read_metadata(file) or {})["image_range"] == image_range(image) == [0.0, 1.0]


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated.*:UserWarning")
@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning")
def test_calibration_on_dark_images_leaves_pixel_minus_128() -> None:
    model = _one_head()
    dark = np.random.default_rng(0).uniform(0.1, 0.7, (16, 6, 6, 1)).astype(np.float32)
    kernel, bias = named_layer(model, "head_0").get_weights()
    backbone = keras.Model(model.inputs, named_layer(model, "features").output)
    head = Head(kernel, bias, 1.0)
    content = export_int8(backbone, [head], (6, 6, 1), {}, calibration=dark)
    assert is_plain(pixel_codes(parse_model(content).inputs["image"]))


def test_calibration_images_change_where_they_must_alone() -> None:
    dark = np.full((3, 2, 2, 1), 0.4, np.float32)
    dark[0, 1, 1], dark[0, 0, 0] = 0.6, 0.2
    changed = spanning(dark)
    assert (changed != dark).sum() == 2
    assert (changed[0, 1, 1, 0], changed[0, 0, 0, 0]) == (1.0, 0.0)
    whole = np.array([[[[0.0]], [[1.0]]]], np.float32)
    assert spanning(whole).tobytes() == whole.tobytes()
