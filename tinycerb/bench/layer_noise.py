"""Where quantization hurts: signal-to-noise of every layer of an int8 file against the same graph in float32."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TypedDict

import numpy as np

from tinycerb.converters.child_process import die_with_parent
from tinycerb.converters.model_file import Operator, parse_model
from tinycerb.errors import EnvironmentProblem
from tinycerb.processes.variables import child_variables
from tinycerb.run.directory import RunDirectory
from tinycerb.runtimes.layer_outputs import run_operators
from tinycerb.runtimes.running_model import RunningModel
from tinycerb.seal.files import read_bytes

_IMAGES = 32
# Above this loss of accuracy, in points, the table is made.
NOTICEABLE_POINTS = 1.0


class LayerNoise(TypedDict):
    """What quantization does to one operator."""

    layer: str
    operator: str
    signal_to_noise_db: float
    added_noise_share: float


def measure_quantization(
    run: RunDirectory, victim: str, model: RunningModel, accuracy: float, float_accuracy: float, images: np.ndarray
) -> dict[str, object]:
    """Compares int8 with float, and looks for the layer to blame if more than a point is lost.

    Args:
        run: the run.
        victim: one of its victims.
        model: its int8 file.
        accuracy: expected accuracy of the int8 file's heads, before any response, 0..1.
        float_accuracy: that of the float model, on the same images.
        images: test images, uint8, of which a few pass through both graphs.

    Returns:
        `float_accuracy_expected`, `accuracy_lost_points`, and `layers` (None where little was lost): per operator its
        name, `signal_to_noise_db`, and `added_noise_share`, its noise power beyond that of the noisiest tensor it
        reads, over the signal's. The one that adds most is the `worst_layer`: those behind it only pass its noise on.

    Raises:
        EnvironmentProblem: the float graph cannot be made.
    """
    lost = 100 * (float_accuracy - accuracy)
    layers = layer_noise(run, victim, model, images[:_IMAGES]) if lost > NOTICEABLE_POINTS else None
    worst = max(layers, key=lambda row: row["added_noise_share"])["layer"] if layers else None
    return {
        "float_accuracy_expected": float_accuracy,
        "accuracy_lost_points": lost,
        "layers": layers,
        "worst_layer": worst,
    }


def layer_noise(run: RunDirectory, victim: str, model: RunningModel, images: np.ndarray) -> list[LayerNoise]:
    """Returns one row per operator that both graphs have, in execution order; errors as `measure_quantization`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.tflite"
        command = [sys.executable, "-m", "tinycerb.conversion.float_reference", str(run.path), victim, str(path)]
        child = subprocess.run(
            die_with_parent(command), capture_output=True, text=True, check=False, env=child_variables()
        )
        if child.returncode != 0:
            cause = (child.stderr.strip().splitlines() or ["no message"])[-1]
            raise EnvironmentProblem(f"the float graph of {victim} cannot be made: {cause}")
        reference = run_operators(parse_model(read_bytes(path)), images.astype(np.float32) / 255.0)
    quantized = run_operators(model.artifact.file, model.artifact.quantize(images))
    float_outputs = {_key(operator): outputs for operator, outputs in reference}
    noise_of: dict[int, float] = {}
    rows: list[LayerNoise] = []
    for operator, outputs in quantized:
        # Noise power over signal power; the image has none.
        before = max((noise_of.get(tensor.index, 0.0) for tensor in operator.inputs), default=0.0)
        noise = before
        # An operator of the int8 graph alone passes on what it reads.
        if _key(operator) in float_outputs:
            ratio = signal_to_noise_db(float_outputs[_key(operator)], _real(operator, outputs))
            noise = 10 ** (-ratio / 10)
            rows.append(
                {
                    "layer": operator.outputs[0].name,
                    "operator": operator.name,
                    "signal_to_noise_db": ratio,
                    "added_noise_share": max(noise - before, 0.0),
                }
            )
        noise_of[operator.outputs[0].index] = noise
    return rows


def signal_to_noise_db(signal: np.ndarray, noisy: np.ndarray) -> float:
    """Returns 10 log10 of signal power over error power, at most 200."""
    power = float(np.square(signal, dtype=np.float64).sum())
    noise = float(np.square(signal - noisy, dtype=np.float64).sum())
    return float(10 * np.log10(max(power, 1e-20) / max(noise, power * 1e-20, 1e-40)))


def _key(operator: Operator) -> tuple[str, str]:
    return operator.name, operator.outputs[0].name


def _real(operator: Operator, codes: np.ndarray) -> np.ndarray:
    output = operator.outputs[0]
    return (codes.astype(np.float64) - output.zero_points[0]) * output.scales[0]
