"""What lies beside a converted file: golden vectors, resolver.h, the I/O card."""

import hashlib
import json
import re
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest

from tinycerb.converters.golden import GoldenError, parse_golden, render_golden
from tinycerb.converters.golden_header import render_golden_header
from tinycerb.converters.known_operators import tflm_methods
from tinycerb.converters.model_file import read_model_file
from tinycerb.converters.resolver_header import ResolverError, render_resolver
from tinycerb.errors import EnvironmentProblem
from tinycerb.reports.io_card import c_lines, python_lines, render_io_card
from tinycerb.runtimes.model_json import read_model_json


@pytest.fixture(scope="module")
def victim(smoke_run) -> Path:
    return smoke_run.victim("cerberos")


@pytest.fixture(scope="module")
def card(victim) -> dict:
    return read_model_json(victim / "model.json").to_json()


def compile_and_run(folder: Path, compiler: str, name: str, source: str, *flags: str) -> str:
    (folder / name).write_text(source)
    command = [
        compiler,
        "-Wall",
        "-Wextra",
        "-Werror",
        *flags,
        str(folder / name),
        "-o",
        str(folder / "program"),
        "-lm",
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    ran = subprocess.run([str(folder / "program")], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_model_json_says_which_runtimes_ran(card) -> None:
    assert [(engine["runtime"], engine["kernels"]) for engine in card["engines"]] == [
        ("tflite-runtime", "reference"),
        ("tflite-micro", "reference"),
    ]
    assert card["arena"]["basis"] == "measured"
    assert card["response"] == "none"
    assert card["head_layout"] in ("fully_connected", "convolution")
    assert set(card["head_errors_lsb"]) == {"fully_connected", "convolution"}


def test_golden_vectors_are_of_this_file(victim, card) -> None:
    golden = parse_golden((victim / "golden.bin").read_bytes())
    assert golden.model_sha256 == hashlib.sha256((victim / "model.tflite").read_bytes()).digest()
    assert golden.logits.shape == (card["golden"]["images"], 3, 10)
    assert len(np.unique(golden.logits)) > 20
    assert render_golden(golden) == (victim / "golden.bin").read_bytes()


def test_the_header_holds_the_same_vectors(victim, tmp_path) -> None:
    golden = parse_golden((victim / "golden.bin").read_bytes())
    (tmp_path / "golden.h").write_bytes((victim / "golden.h").read_bytes())
    source = """
    #include <stdio.h>
    #include "golden.h"
    int main(void) {
      fwrite(tinycerb_golden_images, 1, sizeof tinycerb_golden_images, stdout);
      fwrite(tinycerb_golden_logits, 1, sizeof tinycerb_golden_logits, stdout);
      return fwrite(tinycerb_golden_model_sha256, 1, 32, stdout) != 32 || tinycerb_golden_crc32[0] != %CRC%u;
    }
    """
    checksum = zlib.crc32(golden.images[0].tobytes() + golden.logits[0].tobytes())
    (tmp_path / "main.c").write_text(source.replace("%CRC%", str(checksum)))
    command = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "main.c", "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    written = subprocess.run([tmp_path / "main"], capture_output=True, check=True).stdout
    assert written == golden.images.tobytes() + golden.logits.tobytes() + golden.model_sha256


@pytest.mark.parametrize("place", [0, 4, 6, 20, 60, 900, -3])
def test_a_damaged_golden_file_is_refused(victim, place: int) -> None:
    content = bytearray((victim / "golden.bin").read_bytes())
    content[place] ^= 1
    with pytest.raises(GoldenError):
        parse_golden(bytes(content))
    with pytest.raises(GoldenError):
        parse_golden(bytes(content[: abs(place)]))


def test_a_golden_vector_has_a_checksum_of_its_own(victim) -> None:
    content = bytearray((victim / "golden.bin").read_bytes())
    content[60] ^= 1
    content[-4:] = zlib.crc32(content[:-4]).to_bytes(4, "little")
    with pytest.raises(GoldenError, match="vector 0"):
        parse_golden(bytes(content))


# A stand-in for TFLite Micro's header: it counts what is registered, up to the size that it was given.
STAND_IN = """
#include <set>
#include <string>
enum TfLiteStatus { kTfLiteOk, kTfLiteError };
namespace tflite {
template <unsigned int Most> class MicroMutableOpResolver {
 public:
  std::set<std::string> names;
  TfLiteStatus Add(const char* name) {
    return names.size() < Most && names.insert(name).second ? kTfLiteOk : kTfLiteError;
  }
%METHODS%
};
}
"""


def test_the_resolver_registers_exactly_the_operators(victim, card, tmp_path) -> None:
    methods = "\n".join(
        f'  TfLiteStatus {method}() {{ return Add("{name}"); }}' for name, method in tflm_methods().items()
    )
    place = tmp_path / "tensorflow/lite/micro"
    place.mkdir(parents=True)
    (place / "micro_mutable_op_resolver.h").write_text(STAND_IN.replace("%METHODS%", methods))
    (tmp_path / "resolver.h").write_bytes((victim / "resolver.h").read_bytes())
    source = """
    #include <cstdio>
    #include "resolver.h"
    int main() {
      tinycerb::Resolver resolver;
      if (tinycerb::RegisterOperators(resolver) != kTfLiteOk || resolver.names.size() != tinycerb::kOperators) return 1;
      for (const auto& name : resolver.names) printf("%s ", name.c_str());
      printf("| %d %d %d %d %d %.9g\\n", TINYCERB_ARENA_BYTES, tinycerb::kImageInput, tinycerb::kHeadInput,
             tinycerb::kHeads, tinycerb::kClasses, tinycerb::kAlphas[0]);
    }
    """
    names, values = compile_and_run(tmp_path, "g++", "main.cc", source, "-std=c++17", f"-I{tmp_path}").split("|")
    file = read_model_file(victim / "model.tflite")
    assert set(names.split()) == {operator.name for operator in file.operators}
    arena, image, head, heads, classes, alpha = values.split()
    assert (int(arena), int(heads), int(classes)) == (card["arena"]["arena_bytes"], 3, 10)
    assert file.graph_inputs[int(image)] == file.inputs["image"]
    assert file.graph_inputs[int(head)] == file.inputs["head"]
    assert float(alpha) == pytest.approx(card["alphas"][0], rel=1e-6)


def test_an_operator_that_tflite_micro_lacks_has_no_resolver(victim, card, monkeypatch) -> None:
    monkeypatch.setattr("tinycerb.converters.resolver_header.tflm_methods", lambda: {"CONV_2D": "AddConv2D"})
    with pytest.raises(ResolverError, match="GATHER"):
        render_resolver(read_model_file(victim / "model.tflite"), card)


RUN_CARD = """
import json
import sys
import numpy as np
from tflite_runtime.interpreter import Interpreter, OpResolverType
lines, card = json.loads(sys.argv[3]), json.loads(sys.argv[4])
interpreter = Interpreter(sys.argv[1], num_threads=1, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
interpreter.allocate_tensors()
found = []
for pixels in np.load(sys.argv[2]):
    for head in range(card["heads"]):
        exec("\\n".join(lines))
        found.append((codes[0].ravel().tolist(), answer.tolist(), logits.tolist()))
print(json.dumps(found))
"""


def test_the_python_lines_of_the_card_do_what_they_say(victim, card, run_child, tmp_path) -> None:
    golden = parse_golden((victim / "golden.bin").read_bytes())
    # Scale 1/255, zero point -128: a pixel is its code plus 128.
    np.save(tmp_path / "pixels.npy", (golden.images.astype(int) + 128).astype(np.uint8).reshape(-1, 28, 28, 1))
    arguments = [victim / "model.tflite", tmp_path / "pixels.npy", json.dumps(python_lines(card)), json.dumps(card)]
    found = iter(json.loads(run_child(RUN_CARD, *arguments)))
    zero_point, scale = card["outputs"]["logits"]["zero_point"], card["outputs"]["logits"]["scale"]
    for image, answers in zip(golden.images, golden.logits, strict=True):
        for head, answer in enumerate(answers):
            codes, got, logits = next(found)
            assert codes == image.tolist()
            assert got == answer.tolist()
            assert np.allclose(logits, (answer.astype(float) - zero_point) * scale / card["alphas"][head])


@pytest.mark.parametrize(("scale", "zero_point"), [(1 / 255, -128), (0.0123, 7)])
def test_the_c_lines_of_the_card_do_what_they_say(card, tmp_path, scale: float, zero_point: int) -> None:
    facts = json.loads(json.dumps(card))
    facts["inputs"]["image"] |= {"scale": scale, "zero_point": zero_point, "shape": [1, 256, 1, 1]}
    quantize, choose, read = c_lines(facts)
    source = f"""
    #include <math.h>
    #include <stdint.h>
    #include <stdio.h>
    int main(void) {{
      static uint8_t pixels[256];
      static int8_t image[256], answer[1] = {{-77}};
      float alphas[3] = {{1.5f, 2.0f, 4.0f}};
      int32_t given = 0, *head_input = &given;
      int head = 2, k = 0;
      for (int i = 0; i < 256; i++) pixels[i] = (uint8_t)i;
      {quantize}
      {choose}
      {read}
      for (int i = 0; i < 256; i++) printf("%d ", image[i]);
      printf("%d %.9g\\n", (int)given, (double)logit);
      return 0;
    }}
    """
    *codes, head, logit = compile_and_run(tmp_path, "gcc", "main.c", source, "-std=c99").split()
    expected = np.clip(np.rint(np.arange(256) / 255 / scale + zero_point), -128, 127)
    assert [int(code) for code in codes] == expected.astype(int).tolist()
    assert int(head) == 2
    answer = facts["outputs"]["logits"]
    assert float(logit) == pytest.approx((-77 - answer["zero_point"]) * answer["scale"] / 4.0, rel=1e-5)


def test_the_card_shows_every_tensor(card, smoke_run) -> None:
    text = render_io_card(card)
    assert re.search(r"image +int8 +\[1, 28, 28, 1\] +0\.00392156886 +-128 +0 \.\. 1", text)
    assert re.search(r"head +int32 +\[1\] +- +- +0 \.\. 2", text)
    model_card = (smoke_run.path / "model_card.md").read_text()
    assert all(line in model_card for line in (*python_lines(card), *c_lines(card)))


@pytest.mark.parametrize("content", ["[1]", "{", '{"heads": 1}', '{"heads": NaN}', "[" * 100000, '{"a": 1e999}'])
def test_a_wrong_model_json_is_refused_by_name(tmp_path, content: str) -> None:
    (tmp_path / "model.json").write_text(content)
    with pytest.raises(EnvironmentProblem, match=r"model\.json"):
        read_model_json(tmp_path / "model.json")


def test_a_header_names_the_engine(victim, card) -> None:
    golden = parse_golden((victim / "golden.bin").read_bytes())
    assert render_golden_header(golden, card["engines"][0]) == (victim / "golden.h").read_text()
    assert "tflite-runtime 2.14.0, reference kernels" in (victim / "golden.h").read_text()
