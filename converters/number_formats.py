"""In which numbers a .tflite computes, told apart for those who have to convert it again."""

from tinycerb.converters.model_file import ModelFile, Tensor

_BORDER = ("QUANTIZE", "DEQUANTIZE")
_ENDS = "inference_input_type = inference_output_type = tf.int8"
_ALL_INT8 = f"representative_dataset, supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8] and {_ENDS}"


def how_to_int8(file: ModelFile) -> str:
    """Says in which numbers a file computes whose ends are not int8, and how it becomes int8 from end to end.

    Returns:
        A clause; empty where all ends are int8.
    """
    # An int32 beside the image chooses a head.
    ends = {tensor.dtype for tensor in (*file.graph_inputs, *file.graph_outputs)} - {"int8", "int32"}
    if not ends:
        return ""
    inner = {tensor.dtype for tensor in _activations(file)}
    if "int8" in inner:
        return f"it computes in int8, its ends alone are {' and '.join(sorted(ends))}: convert it with {_ENDS}"
    if "uint8" in inner:
        return f"it computes in uint8, the scheme of TensorFlow 1: convert it anew with {_ALL_INT8}"
    if "int16" in inner:
        return f"it computes in int16: convert it with {_ALL_INT8}"
    weights = {t.dtype for op in file.operators for t in op.inputs if t.constant_bytes and len(t.shape) > 1}
    if "int8" in weights:
        return f"its weights are int8, but it computes in floats (dynamic range): convert it with {_ALL_INT8}"
    return f"it is not quantized: convert it with optimizations = [tf.lite.Optimize.DEFAULT], {_ALL_INT8}"


def _activations(file: ModelFile) -> list[Tensor]:
    """What layers compute, without the borders to other numbers."""
    return [tensor for op in file.operators if op.name not in _BORDER for tensor in op.outputs if len(tensor.shape) > 1]
