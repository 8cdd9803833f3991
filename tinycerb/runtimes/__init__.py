"""One door to the interpreters that run .tflite files: tflite-runtime, ai-edge-litert, tflite-micro.

`engines.py` opens a file inside the current process and is meant for processes that do nothing else; everybody else
calls `apart.run_model`, which starts such a process. This module imports no runtime.
"""
