"""From a trained run, a Keras file or a .tflite to an int8 file with all that lies beside it."""
