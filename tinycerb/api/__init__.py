"""The Python face: what `tinycerb.train`, `convert`, `open`, `attack`, `evaluate` and `report` do and return.

All work with TensorFlow or a runtime is done in child processes, as the commands do theirs: a notebook keeps its own
TensorFlow with whichever Keras it has, and nothing here loads one.
"""
