"""Model files and the one door to what runs them: tflite-runtime, ai-edge-litert, tflite-micro, the firmware's C.

`model_artifact.py` is a file with its card, handed on wherever a model is meant. `engines.py` opens a file inside the
current process and is meant for processes that do nothing else; everybody else calls `isolated.run_model`, which starts
such a process. This module imports no runtime.
"""
