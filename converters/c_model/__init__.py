"""Int8 .tflite to C: constants, a static arena plan and a layer table for the runtime in `firmware_stub/`."""
