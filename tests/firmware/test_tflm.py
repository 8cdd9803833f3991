"""The TFLite Micro application: our side compiles, links and runs against a stand-in for its tree.

No package holds TFLite Micro's C++ sources, so what stands here has its interfaces and none of its kernels.
"""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.networks import demo_net
from tinycerb.boards.board import load_board
from tinycerb.boards.build import firmware_folder
from tinycerb.boards.emulator import qemu_command, run_emulator
from tinycerb.converters.model_file import parse_model
from tinycerb.converters.resolver_header import ArenaFacts, ResolverFacts, render_resolver

CORE = """#pragma once
#include <stddef.h>
#include <stdint.h>
enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };
struct TfLiteTensor { union { int8_t* int8; int32_t* i32; } data; size_t bytes; };
"""
RESOLVER = """#pragma once
#include "tensorflow/lite/core.h"
namespace tflite {
template <unsigned int kCount> class MicroMutableOpResolver {
 public:
  unsigned int registered = 0;
METHODS
 private:
  TfLiteStatus Add() { return registered++ < kCount ? kTfLiteOk : kTfLiteError; }
};
}
"""
SCHEMA = """#pragma once
namespace tflite { struct Model { unsigned char bytes[8]; };
inline const Model* GetModel(const void* buffer) { return static_cast<const Model*>(buffer); } }
"""
# Instead of a network: the first ten values of the image, plus the head.
INTERPRETER = """#pragma once
#include "tensorflow/lite/core.h"
#include "tensorflow/lite/schema/schema_generated.h"
namespace tflite {
class MicroInterpreter {
 public:
  template <class Resolver>
  MicroInterpreter(const Model* model, const Resolver& resolver, uint8_t* arena, size_t bytes)
      : model_(model), arena_(arena), bytes_(bytes), operators_(resolver.registered) {}
  TfLiteStatus AllocateTensors();
  TfLiteTensor* input(size_t index) { return &inputs_[index]; }
  TfLiteTensor* output(size_t) { return &output_; }
  TfLiteStatus Invoke();
 private:
  const Model* model_;
  uint8_t* arena_;
  size_t bytes_;
  unsigned int operators_;
  TfLiteTensor inputs_[2];
  TfLiteTensor output_;
};
}
"""
KERNELS = """#include "tensorflow/lite/micro/micro_interpreter.h"
#include <stdio.h>
#include <stdlib.h>
namespace tflite {
// As the real tree, which logs and aborts: the C library then asks for system calls.
static void Abort(const char* what) {
  fprintf(stderr, "%s\\n", what);
  abort();
}
TfLiteStatus MicroInterpreter::AllocateTensors() {
  const unsigned char* identifier = model_->bytes + 4;
  if (identifier[0] != 'T' || identifier[3] != '3' || operators_ < 5 || bytes_ < 900) return kTfLiteError;
  if (bytes_ > 1000000) Abort("arena");
  inputs_[0].data.int8 = reinterpret_cast<int8_t*>(arena_);
  inputs_[0].bytes = 784;
  inputs_[1].data.i32 = reinterpret_cast<int32_t*>(arena_ + 784);
  output_.data.int8 = reinterpret_cast<int8_t*>(arena_ + 800);
  output_.bytes = 10;
  return kTfLiteOk;
}
TfLiteStatus MicroInterpreter::Invoke() {
  for (int i = 0; i < 10; i++) output_.data.int8[i] = static_cast<int8_t>(arena_[i] + inputs_[1].data.i32[0]);
  for (int i = 0; i < 788; i++) arena_[i] = 0xEE;
  return kTfLiteOk;
}
}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A stand-in for TFLite Micro."""
    from tinycerb.converters.known_operators import tflm_methods

    methods = "\n".join(f"  TfLiteStatus {name}() {{ return Add(); }}" for name in sorted(set(tflm_methods().values())))
    lite = tmp_path / "tflm" / "tensorflow" / "lite"
    for name, text in (
        ("core.h", CORE),
        ("micro/micro_mutable_op_resolver.h", RESOLVER.replace("METHODS", methods)),
        ("schema/schema_generated.h", SCHEMA),
        ("micro/micro_interpreter.h", INTERPRETER),
        ("micro/kernels/everything.cc", KERNELS),
        ("micro/kernels/everything_test.cc", "#error a test is no part of the library\n"),
        ("../../signal/src/fft.cc", '#include "kiss_fft.h"\n#include "kiss_fftr.h"\n'),
        ("../../third_party/kissfft/kiss_fft.h", "#pragma once\n"),
        ("../../third_party/kissfft/tools/kiss_fftr.h", "#pragma once\n"),
    ):
        (lite / name).parent.mkdir(parents=True, exist_ok=True)
        (lite / name).write_text(text)
    return tmp_path / "tflm"


def test_the_application_feeds_images_and_heads(tree: Path, tmp_path: Path) -> None:
    content, folder = demo_net(), tmp_path / "model"
    folder.mkdir()
    (folder / "model.tflite").write_bytes(content)
    file = parse_model(content)
    arena = ArenaFacts(arena_bytes=20000, origin="Planned.")
    facts = ResolverFacts(sha256="0" * 64, heads=3, classes=10, alphas=[1.0, 0.5, 2.0], arena=arena)
    (folder / "resolver.h").write_text(render_resolver(file, facts))
    cmake = shutil.which("cmake")
    assert cmake is not None, "cmake is not installed; install it with: sudo apt-get install -y cmake"
    build = tmp_path / "build"
    for command in (
        [cmake, "--preset", "qemu-m4", "-B", build, f"-DTFLM_ROOT={tree}", f"-DTINYCERB_TFLITE_DIR={folder}"],
        [cmake, "--build", build, "--target", "tflm.elf"],
    ):
        done = subprocess.run(command, cwd=firmware_folder(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    images = np.random.default_rng(3).integers(-128, 128, (4, 784), dtype=np.int8)
    (build / "input.bin").write_bytes(images.tobytes())
    command = qemu_command(
        load_board("qemu-m4"), build / "tflm.elf", "-serial", "none", "-chardev", "null,id=console",
        "-semihosting-config", "enable=on,target=native,chardev=console",
    )  # fmt: skip
    run_emulator(command, build, build / "tflm.elf")
    answers = np.fromfile(build / "output.bin", np.int8).reshape(4, 3, 10)
    expected = images[:, np.newaxis, :10] + np.arange(3, dtype=np.int8)[:, np.newaxis]
    assert (answers == expected).all()
