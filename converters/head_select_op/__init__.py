"""`TinyCerbHeadSelect`: head selection as one custom operator, made from the file with builtin operators.

It copies one row of the table of all heads. In mode `take` the row's number is its second input, an int32; in mode
`draw` it draws the number itself, evenly and independently, and gives it as its second output. No arithmetic: scales
stay untouched. `surgery.py` makes the file, `delegate.c` runs it in tflite-runtime and ai-edge-litert, and
`registerer.py` runs it in tflite-runtime where there is no C compiler.
"""
