// The same .tflite in TFLite Micro, for those who have its tree: every image of input.bin through every head, the
// outputs to output.bin, over semihosting. Uses the resolver.h that `tinycerb convert` writes.
#include "resolver.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/schema/schema_generated.h"

extern "C" {
#include "semihosting.h"
#include "target.h"

extern const unsigned char tinycerb_tflite[];  // tflite_file.S
}

namespace {
alignas(16) unsigned char arena[TINYCERB_ARENA_BYTES];
}

extern "C" int main(void) {
  const int input = semihosting_open("input.bin", SEMIHOSTING_READ);
  const int output = semihosting_open("output.bin", SEMIHOSTING_WRITE);
  if (input < 0 || output < 0) return 2;
  tinycerb::Resolver resolver;
  if (tinycerb::RegisterOperators(resolver) != kTfLiteOk) return 3;
  tflite::MicroInterpreter interpreter(tflite::GetModel(tinycerb_tflite), resolver, arena, sizeof arena);
  if (interpreter.AllocateTensors() != kTfLiteOk) return 4;
  TfLiteTensor* image = interpreter.input(tinycerb::kImageInput);
  TfLiteTensor* answer = interpreter.output(0);
  const uint32_t image_bytes = static_cast<uint32_t>(image->bytes);
  const uint32_t count = semihosting_length(input) / image_bytes;
  for (uint32_t i = 0; i < count; i++) {
    for (int head = 0; head < tinycerb::kHeads; head++) {
      // An inference reuses its inputs' memory: the image is read again for every head.
      if (head > 0 && semihosting_seek(input, i * image_bytes) != 0) return 5;
      if (semihosting_read(input, image->data.int8, image_bytes) != 0) return 5;
#ifdef TINYCERB_HEAD_INPUT
      interpreter.input(tinycerb::kHeadInput)->data.i32[0] = head;
#endif
      if (interpreter.Invoke() != kTfLiteOk) return 6;
      semihosting_write(output, answer->data.int8, static_cast<uint32_t>(answer->bytes));
    }
  }
  semihosting_close(output);
  return 0;
}
