"""What a converted file is handed over with: golden vectors, `resolver.h`, and `model.json`, which says all of it."""

import hashlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from tinycerb.advice.install import install_command
from tinycerb.converters.arena_plan import plan_arena
from tinycerb.converters.golden import Golden, render_golden
from tinycerb.converters.golden_header import render_golden_header
from tinycerb.converters.known_operators import tflm_methods
from tinycerb.converters.layer_costs import layer_costs
from tinycerb.converters.model_file import ModelFile, parse_model
from tinycerb.converters.resolver_header import render_resolver
from tinycerb.errors import EnvironmentProblem, GateError
from tinycerb.runtimes.engines import default_runtime, installed_runtimes
from tinycerb.runtimes.interpreter_model import quantize_images
from tinycerb.runtimes.isolated import ModelRun, head_inputs, run_model
from tinycerb.seal.files import write_bytes, write_json, write_text

GOLDEN_IMAGES = 4
MODEL, SIDE_FILE = "model.tflite", "model.json"
GOLDEN, GOLDEN_HEADER, RESOLVER = "golden.bin", "golden.h", "resolver.h"


def hand_over(
    folder: Path,
    content: bytes,
    metadata: dict[str, Any],
    images: np.ndarray,
    calibration: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Runs a converted file on a few images and writes it with everything that lies beside it.

    Args:
        folder: where the files go; `model.json` is written last, so that it means: all of it is there.
        content: the `.tflite` file.
        metadata: what is embedded in it.
        images: uint8 [N, height, width, channels], of which the first few become golden vectors.
        calibration: which images post-training quantization has measured ranges on, if it has.

    Returns:
        The contents of `model.json`.

    Raises:
        GateError: tflite-micro answers other bytes than the reference kernels on the host.
        EnvironmentProblem: no runtime is installed, or one cannot run the file.
    """
    file = parse_model(content)
    codes = quantize_images(file, images[:GOLDEN_IMAGES])
    runs = _run_everywhere(content, codes, int(metadata["heads"]))
    host = runs[0]
    golden = Golden(
        hashlib.sha256(content).digest(),
        codes.reshape(len(codes), -1),
        host.outputs["logits"].reshape(len(codes), metadata["heads"], metadata["classes"]),
    )
    for other in runs[1:]:
        differing = int((other.outputs["logits"] != host.outputs["logits"]).sum())
        if differing:
            raise GateError(
                f"{other.engine['runtime']} answers {differing} bytes other than {host.engine['runtime']}'s reference "
                f"kernels; expected 0. Layers: tinycerb summary"
            )
    card = {
        **describe_file(content, metadata),
        "calibration": calibration,
        "engines": [run.engine for run in runs],
        "arena": _arena(file, runs),
        "golden": {"images": len(codes), "answers": int(golden.logits.shape[0] * golden.logits.shape[1])},
    }
    write_bytes(folder / MODEL, content)
    write_bytes(folder / GOLDEN, render_golden(golden))
    write_text(folder / GOLDEN_HEADER, render_golden_header(golden, host.engine))
    # A file that TFLite Micro cannot run is refused by the contract, unless the user has chosen other targets.
    if {operator.name for operator in file.operators} <= set(tflm_methods()):
        write_text(folder / RESOLVER, render_resolver(file, card))
    write_json(folder / SIDE_FILE, card)
    return card


def _run_everywhere(content: bytes, codes: np.ndarray, heads: int) -> list[ModelRun]:
    """Runs the reference kernels of the host's runtime and, where it is installed, of tflite-micro."""
    runtimes = [default_runtime(), *({"tflite-micro"} & set(installed_runtimes()))]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        path = Path(folder) / MODEL
        path.write_bytes(content)
        # Starting the processes takes longer than the work that they do.
        return list(pool.map(lambda name: run_model(path, head_inputs(codes, heads), name), runtimes))


def _arena(file: ModelFile, runs: list[ModelRun]) -> dict[str, Any]:
    for run in runs:
        if run.arena:
            return {
                "basis": "measured",
                "origin": f"Measured with tflite-micro {run.engine['version']}, 64-bit host; 32-bit cores need less.",
                "arena_bytes": run.arena["total"],
                "nonpersistent_bytes": run.arena["head"],
                "persistent_bytes": run.arena["tail"],
            }
    plan = plan_arena(file)
    if plan is None:
        raise EnvironmentProblem(
            f"the model has too many activations to plan; measure with tflite-micro: {install_command('tflite-micro')}"
        )
    return {
        "basis": "estimated",
        "origin": "Planned from the file: activations exactly, the interpreter's own part by estimate. Leave a margin.",
        "arena_bytes": plan.arena_bytes,
        "nonpersistent_bytes": plan.nonpersistent_bytes,
        "persistent_bytes": plan.persistent_bytes,
    }


def describe_file(content: bytes, metadata: dict[str, Any]) -> dict[str, Any]:
    """Returns what can be said about a file without running it: the metadata, its hash, its ends, its operators."""
    file = parse_model(content)
    ends = {"inputs": file.inputs, "outputs": file.outputs}
    return {
        **metadata,
        "sha256": hashlib.sha256(content).hexdigest(),
        "file_bytes": len(content),
        **{
            kind: {
                name: {
                    "dtype": tensor.dtype,
                    "shape": list(tensor.shape),
                    "scale": tensor.scales[0] if tensor.scales else None,
                    "zero_point": tensor.zero_points[0] if tensor.zero_points else None,
                }
                for name, tensor in tensors.items()
            }
            for kind, tensors in ends.items()
        },
        "operators": [
            {
                "operator": row.operator,
                "version": row.version,
                "output_shape": list(row.output_shape),
                "multiply_accumulates": row.multiply_accumulates,
                "weight_bytes": row.weight_bytes,
                "activation_bytes": row.activation_bytes,
            }
            for row in layer_costs(file)
        ],
    }
