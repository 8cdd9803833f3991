"""Runs `TinyCerbHeadSelect` in tflite-runtime without a C compiler: Python functions behind the C interface.

Depends on the struct layout of tflite-runtime 2.14, which is the last release. ai-edge-litert hides the symbol that
registers operators and needs the delegate.
"""

import ctypes
import secrets
import sys
from collections.abc import Callable
from typing import TypeAlias

from tinycerb.converters.head_select_op.surgery import DRAW, OPTIONS
from tinycerb.converters.known_operators import TINYCERB_OPERATOR

_OK, _ERROR = 0, 1
_BUILTIN_CUSTOM = 32
_ADD_CUSTOM = "_ZN6tflite17MutableOpResolver9AddCustomEPKcPK18TfLiteRegistrationi"
_IntArray = ctypes.POINTER(ctypes.c_int)


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("data", ctypes.c_void_p),
        ("dims", _IntArray),
        ("scale", ctypes.c_float),
        ("zero_point", ctypes.c_int32),
        ("allocation_type", ctypes.c_int),
        ("bytes", ctypes.c_size_t),
        ("rest", ctypes.c_byte * 64),
    ]


class _Node(ctypes.Structure):
    _fields_ = [
        ("inputs", _IntArray),
        ("outputs", _IntArray),
        ("intermediates", _IntArray),
        ("temporaries", _IntArray),
        ("user_data", ctypes.c_void_p),
        ("builtin_data", ctypes.c_void_p),
        ("custom_initial_data", ctypes.c_void_p),
        ("custom_initial_data_size", ctypes.c_int),
    ]


class _Context(ctypes.Structure):
    _fields_ = [
        ("tensors_size", ctypes.c_size_t),
        ("get_execution_plan", ctypes.c_void_p),
        ("tensors", ctypes.POINTER(_Tensor)),
    ]


_ContextPointer: TypeAlias = "ctypes._Pointer[_Context]"
_NodePointer: TypeAlias = "ctypes._Pointer[_Node]"
_Kernel = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Context), ctypes.POINTER(_Node))


class _Registration(ctypes.Structure):
    _fields_ = [
        ("init", ctypes.c_void_p),
        ("free", ctypes.c_void_p),
        ("prepare", _Kernel),
        ("invoke", _Kernel),
        ("profiling_string", ctypes.c_void_p),
        ("builtin_code", ctypes.c_int32),
        ("custom_name", ctypes.c_void_p),
        ("version", ctypes.c_int),
        ("registration_external", ctypes.c_void_p),
        ("async_kernel", ctypes.c_void_p),
        ("inplace_operator", ctypes.c_uint64),
    ]


def head_select_registerer(draw_head: Callable[[int], int] = secrets.randbelow) -> Callable[[int], None]:
    """Returns what `InterpreterWithCustomOps(custom_op_registerers=[...])` wants; keep it as long as the interpreter.

    Args:
        draw_head: number of heads to a head, for files whose operator draws; tests may pass a repeatable one.
    """
    # The resolver keeps the pointer, not the text.
    name = ctypes.create_string_buffer(TINYCERB_OPERATOR.encode())
    registration = _Registration(
        prepare=_Kernel(_prepare),
        invoke=_Kernel(lambda context, node: _invoke(context, node, draw_head)),
        builtin_code=_BUILTIN_CUSTOM,
        custom_name=ctypes.addressof(name),
        version=1,
    )

    def register(resolver: int) -> None:
        wrapper = sys.modules["tflite_runtime._pywrap_tensorflow_interpreter_wrapper"]
        add = getattr(ctypes.CDLL(wrapper.__file__), _ADD_CUSTOM)
        add.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
        add.restype = None
        # The closure keeps name, registration and functions alive.
        add(resolver, ctypes.addressof(name), ctypes.addressof(registration), 1)

    return register


def _options(node: _NodePointer) -> tuple[int, int, int, int]:
    return OPTIONS.unpack(ctypes.string_at(node.contents.custom_initial_data, OPTIONS.size))


def _prepare(context: _ContextPointer, node: _NodePointer) -> int:
    if node.contents.custom_initial_data_size != OPTIONS.size:
        return _ERROR
    _, _, heads, classes = _options(node)
    # Element 0 of an array is its length.
    table = context.contents.tensors[node.contents.inputs[1]]
    return _OK if heads and table.bytes == heads * classes else _ERROR


def _invoke(context: _ContextPointer, node: _NodePointer, draw_head: Callable[[int], int]) -> int:
    _, mode, heads, classes = _options(node)
    tensors, inputs, outputs = context.contents.tensors, node.contents.inputs, node.contents.outputs
    head = ctypes.cast(tensors[outputs[2] if mode == DRAW else inputs[2]].data, ctypes.POINTER(ctypes.c_int32))
    if mode == DRAW:
        head[0] = draw_head(heads)
    if not 0 <= head[0] < heads:
        return _ERROR
    ctypes.memmove(tensors[outputs[1]].data, tensors[inputs[1]].data + head[0] * classes, classes)
    return _OK
