"""From a quantization-aware model to one int8 .tflite with head selection. Nothing of TinyCerb is imported here."""
