"""The runtimes behind one interface. Never imported where TensorFlow is: it shares symbols with tflite-runtime."""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, Protocol

import numpy as np

from tinycerb.advice.install import install_command
from tinycerb.converters.large_softmax import LargeSoftmax, large_softmax
from tinycerb.converters.model_file import ModelFile
from tinycerb.errors import EnvironmentProblem, UsageError
from tinycerb.registry import Registry

# Bit-exact with TFLite Micro's reference kernels and hence with the firmware; the optimised ones are not.
REFERENCE_KERNELS = "reference"
OPTIMISED_KERNELS = "optimised"


@dataclass(frozen=True)
class EngineName:
    """Which runtime runs, with which kernels; goes into every artefact that one made.

    Attributes:
        runtime: the package.
        version: its version.
        kernels: `reference`, or `optimised` for what the runtime takes by default.
    """

    runtime: str
    version: str
    kernels: str

    def facts(self) -> dict[str, str]:
        """Returns the name as plain JSON values."""
        return asdict(self)


class Engine(Protocol):
    """A loaded model."""

    name: EngineName

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs once.

        Args:
            inputs: every input by its name, with its exact shape and type.

        Returns:
            Every output by its name.
        """
        ...


# (file, kernels, delegates) -> loaded model
OpenEngine = Callable[[ModelFile, str, Sequence[object]], Engine]
ENGINES: Registry[OpenEngine] = Registry("runtime")
_MODULES = {"tflite-runtime": "tflite_runtime", "ai-edge-litert": "ai_edge_litert", "tflite-micro": "tflite_micro"}
_KERNELS = (REFERENCE_KERNELS, OPTIMISED_KERNELS)


def open_engine(file: ModelFile, runtime: str, kernels: str, delegates: Sequence[object] = ()) -> Engine:
    """Loads a file; what the runtime's own SOFTMAX would overflow in is computed behind it, by `LargeSoftmax`."""
    end = large_softmax(file)
    if end is None:
        return ENGINES[runtime](file, kernels, delegates)
    return _DefinedEnd(ENGINES[runtime](end.before, kernels, delegates), end)


class _DefinedEnd:
    """A runtime up to the logits."""

    def __init__(self, engine: Engine, end: LargeSoftmax) -> None:
        self.name = engine.name
        self._engine = engine
        self._end = end

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return self._end.posterior(self._engine.run(inputs))

    def print_allocations(self) -> None:
        """As the engine; a SOFTMAX keeps nothing in the arena beside its ends."""
        getattr(self._engine, "print_allocations", lambda: None)()


def installed_runtimes() -> list[str]:
    """Returns the runtimes that are here, the preferred one first."""
    return [name for name, module in _MODULES.items() if importlib.util.find_spec(module) is not None]


def default_runtime() -> str:
    """Returns tflite-runtime, or ai-edge-litert where there is no wheel of it.

    Raises:
        EnvironmentProblem: neither is installed.
    """
    found = [name for name in installed_runtimes() if name != "tflite-micro"]
    if not found:
        raise EnvironmentProblem(
            f"no TFLite interpreter is installed; install one with: {install_command('tflite-runtime')}   "
            f"or   {install_command('ai-edge-litert')}"
        )
    return found[0]


def interpreter_class(runtime: str) -> tuple[Any, Any]:
    """Returns the Interpreter and the kernel sets of tflite-runtime or ai-edge-litert.

    Raises:
        UsageError: another runtime.
        EnvironmentProblem: it is not installed.
    """
    # Two packages, one interface; each is imported only when it is meant.
    if runtime not in ("tflite-runtime", "ai-edge-litert"):
        raise UsageError(f"{runtime!r} keeps no tensors to look at; allowed: 'tflite-runtime', 'ai-edge-litert'")
    try:
        module = importlib.import_module(f"{_MODULES[runtime]}.interpreter")
    except ImportError as error:
        raise EnvironmentProblem(f"{runtime} is not installed; install it with: {install_command(runtime)}") from error
    return module.Interpreter, module.OpResolverType


def flatbuffer_interpreter(content: bytes, runtime: str, kernels: str, **options: object) -> Any:
    """Returns an allocated Interpreter of tflite-runtime or ai-edge-litert, one thread.

    Raises:
        UsageError: unknown kernels, or a model that the runtime refuses.
    """
    if kernels not in _KERNELS:
        raise UsageError(f"kernels is {kernels!r}; allowed: {', '.join(_KERNELS)}")
    interpreter_type, resolvers = interpreter_class(runtime)
    try:
        interpreter = interpreter_type(
            model_content=content,
            # More threads were ten times slower in tflite-runtime 2.14.
            num_threads=1,
            experimental_op_resolver_type=resolvers.BUILTIN_REF if kernels == REFERENCE_KERNELS else resolvers.AUTO,
            **options,
        )
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise UsageError(f"{runtime} refuses the model: {str(error).strip()[:300]}") from error
    return interpreter


class _FlatbufferEngine:
    """tflite-runtime and ai-edge-litert."""

    def __init__(self, runtime: str, file: ModelFile, kernels: str, delegates: Sequence[object]) -> None:
        options = {"experimental_delegates": list(delegates)} if delegates else {}
        self.name = EngineName(runtime, version(runtime), kernels)
        self._file = file
        self._interpreter = flatbuffer_interpreter(file.content, runtime, kernels, **options)

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        for name, tensor in self._file.inputs.items():
            self._interpreter.set_tensor(tensor.index, inputs[name])
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(tensor.index) for name, tensor in self._file.outputs.items()}


@ENGINES.register("tflite-runtime")
def _tflite_runtime(file: ModelFile, kernels: str, delegates: Sequence[object]) -> Engine:
    return _FlatbufferEngine("tflite-runtime", file, kernels, delegates)


@ENGINES.register("ai-edge-litert")
def _ai_edge_litert(file: ModelFile, kernels: str, delegates: Sequence[object]) -> Engine:
    return _FlatbufferEngine("ai-edge-litert", file, kernels, delegates)


class _MicroEngine:
    """tflite-micro: reference kernels only, inputs and outputs by position."""

    def __init__(self, file: ModelFile) -> None:
        from tflite_micro import runtime

        self.name = EngineName("tflite-micro", version("tflite-micro"), REFERENCE_KERNELS)
        self._file = file
        # Apart: a tensor may be both.
        self._inputs = {tensor: name for name, tensor in file.inputs.items()}
        self._outputs = {tensor: name for name, tensor in file.outputs.items()}
        self._interpreter = runtime.Interpreter.from_bytes(file.content, arena_size=10 * len(file.content) + 2**20)

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        # The interpreter reuses its inputs' memory: all must be written before every invoke.
        for position, tensor in enumerate(self._file.graph_inputs):
            self._interpreter.set_input(inputs[self._inputs[tensor]], position)
        self._interpreter.invoke()
        return {
            self._outputs[tensor]: self._interpreter.get_output(position)
            for position, tensor in enumerate(self._file.graph_outputs)
        }

    def print_allocations(self) -> None:
        """Prints the arena's use to the C library's stderr."""
        self._interpreter.print_allocations()


@ENGINES.register("tflite-micro")
def _tflite_micro(file: ModelFile, kernels: str, delegates: Sequence[object]) -> Engine:
    if kernels != REFERENCE_KERNELS or delegates:
        raise UsageError(f"tflite-micro has reference kernels and no delegates; asked for {kernels!r}, {delegates!r}")
    return _MicroEngine(file)
