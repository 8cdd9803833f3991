// A .tflite in TFLite Micro: every image of input.bin once, over semihosting. output.bin: the outputs; then uint64 ticks
// of the longest Invoke(), uint32 bytes of the arena in use, uint32 most bytes of stack during Invoke().
#include "registrations.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

extern "C" {
#include "semihosting.h"
#include "target.h"

extern const unsigned char tinycerb_tflite[];  // tflite_file.S
extern uint32_t __stack_limit[];

// A function of its own, so that an emulator sees where it begins and ends.
__attribute__((noinline)) int upstream_invoke(tflite::MicroInterpreter* interpreter) {
  return interpreter->Invoke() == kTfLiteOk;
}
}

namespace {
alignas(16) unsigned char arena[UPSTREAM_ARENA_BYTES];

// As startup.c paints it, up to here: what setting up has used does not count.
__attribute__((noinline)) void paint_stack() {
  volatile uint32_t* const here = reinterpret_cast<uint32_t*>(__builtin_frame_address(0)) - 32;
  for (volatile uint32_t* word = __stack_limit; word < here; word++) *word = 0xC5C5C5C5u;
}
}  // namespace

extern "C" int main(void) {
  const int input = semihosting_open("input.bin", SEMIHOSTING_READ);
  const int output = semihosting_open("output.bin", SEMIHOSTING_WRITE);
  if (input < 0 || output < 0) return 2;
  static Resolver resolver;
  if (!Register(resolver)) return 3;
  static tflite::MicroInterpreter interpreter(tflite::GetModel(tinycerb_tflite), resolver, arena, sizeof arena);
  if (interpreter.AllocateTensors() != kTfLiteOk) return 4;
  TfLiteTensor* const image = interpreter.input(0);
  TfLiteTensor* const answer = interpreter.output(0);
  const uint32_t bytes = static_cast<uint32_t>(image->bytes), count = semihosting_length(input) / bytes;
  uint64_t longest = 0;
  paint_stack();
  for (uint32_t i = 0; i < count; i++) {
    if (semihosting_read(input, image->data.int8, bytes) != 0) return 5;
    target_ticks_start();
    const uint32_t began = target_ticks_now();
    const int done = upstream_invoke(&interpreter);
    const uint64_t ticks = target_ticks_since(began);
    if (!done) return 6;
    longest = ticks > longest ? ticks : longest;
    semihosting_write(output, answer->data.int8, static_cast<uint32_t>(answer->bytes));
  }
  const uint32_t used[2] = {static_cast<uint32_t>(interpreter.arena_used_bytes()), target_stack_used()};
  semihosting_write(output, &longest, sizeof longest);
  semihosting_write(output, used, sizeof used);
  semihosting_close(output);
  return 0;
}
