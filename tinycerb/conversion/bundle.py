"""What lies beside a converted file: golden vectors, `resolver.h`, and `model.json`, which says all of it."""

import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from tinycerb.advice.install import install_command
from tinycerb.converters.arena_plan import plan_arena
from tinycerb.converters.golden import Golden, render_golden
from tinycerb.converters.golden_header import render_golden_header
from tinycerb.converters.known_operators import tflm_methods
from tinycerb.converters.large_softmax import exactness
from tinycerb.converters.layer_costs import layer_costs
from tinycerb.converters.model_file import ModelFile, Tensor
from tinycerb.converters.resolver_header import ResolverFacts, render_resolver
from tinycerb.errors import EnvironmentProblem, GateError, UsageError
from tinycerb.file_names import GOLDEN_HEADER, GOLDEN_VECTORS, MODEL, MODEL_JSON, RESOLVER_HEADER
from tinycerb.runtimes.engines import default_runtime, installed_runtimes
from tinycerb.runtimes.isolated import ModelRun, head_inputs, run_model
from tinycerb.runtimes.model_artifact import ModelArtifact
from tinycerb.runtimes.model_card import (
    ArenaFacts,
    BundleCard,
    CalibrationManifest,
    GoldenFacts,
    OperatorFacts,
    TensorFacts,
)
from tinycerb.seal.files import write_bytes, write_json, write_text

GOLDEN_IMAGES = 4


@dataclass(frozen=True)
class Bundle:
    """A converted file and its `model.json`."""

    artifact: ModelArtifact
    card: BundleCard


def write_bundle(
    folder: Path, artifact: ModelArtifact, images: np.ndarray, calibration: CalibrationManifest | None = None
) -> Bundle:
    """Runs a converted file on a few images and writes it with everything that lies beside it.

    Args:
        folder: where the files go; `model.json` is written last, so that it means: all of it is there.
        artifact: the `.tflite` file.
        images: uint8 [N, height, width, channels], of which the first few become golden vectors.
        calibration: which images post-training quantization has measured ranges on, if it has.

    Raises:
        UsageError: the file answers another shape than it promises.
        GateError: tflite-micro answers other bytes than the reference kernels on the host.
        EnvironmentProblem: no runtime is installed, or one cannot run the file.
    """
    file = artifact.file
    codes = artifact.quantize(images[:GOLDEN_IMAGES])
    runs = _run_everywhere(file.content, codes, artifact.heads)
    host = runs[0]
    promised = artifact.heads * artifact.classes
    if host.outputs["logits"].size != len(codes) * promised:
        raise UsageError(
            f"the file answers {host.outputs['logits'].size} bytes to {len(codes)} images; its shapes promise "
            f"{promised} each: the layer that contradicts itself is named by tinycerb flash --dry-run"
        )
    golden = Golden(
        bytes.fromhex(artifact.sha256),
        codes.reshape(len(codes), -1),
        host.outputs["logits"].reshape(len(codes), artifact.heads, artifact.classes),
    )
    for other in runs[1:]:
        differing = int((other.outputs["logits"] != host.outputs["logits"]).sum())
        if differing:
            raise GateError(
                f"{other.engine.runtime} answers {differing} bytes other than {host.engine.runtime}'s reference "
                f"kernels; expected 0. Layers: tinycerb summary"
            )
    card = BundleCard(
        **vars(artifact.card),
        sha256=artifact.sha256,
        file_bytes=len(file.content),
        exactness=exactness(file),
        inputs=_ends(file.inputs),
        outputs=_ends(file.outputs),
        operators=_operators(file),
        calibration=calibration,
        engines=tuple(run.engine for run in runs),
        arena=_arena(file, runs),
        golden=GoldenFacts(len(codes), golden.logits.shape[0] * golden.logits.shape[1]),
    )
    write_bytes(folder / MODEL, file.content)
    write_bytes(folder / GOLDEN_VECTORS, render_golden(golden))
    write_text(folder / GOLDEN_HEADER, render_golden_header(golden, host.engine.facts()))
    # A file that TFLite Micro cannot run is refused by the contract, unless the user has chosen other targets.
    if {operator.name for operator in file.operators} <= set(tflm_methods()):
        write_text(folder / RESOLVER_HEADER, render_resolver(file, cast(ResolverFacts, card.to_json())))
    write_json(folder / MODEL_JSON, card.to_json())
    return Bundle(artifact, card)


def _run_everywhere(content: bytes, codes: np.ndarray, heads: int) -> list[ModelRun]:
    """Runs the reference kernels of the host's runtime and, where it is installed, of tflite-micro."""
    runtimes = [default_runtime(), *({"tflite-micro"} & set(installed_runtimes()))]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        path = Path(folder) / MODEL
        path.write_bytes(content)
        # Starting the processes takes longer than the work that they do.
        inputs = head_inputs(codes, heads)
        return list(pool.map(lambda name: run_model(path, inputs, name, called="the file"), runtimes))


def _arena(file: ModelFile, runs: list[ModelRun]) -> ArenaFacts:
    for run in runs:
        if run.arena:
            return ArenaFacts(
                basis="measured",
                origin=f"Measured with tflite-micro {run.engine.version}, 64-bit host; 32-bit cores need less.",
                arena_bytes=run.arena["total"],
                nonpersistent_bytes=run.arena["head"],
                persistent_bytes=run.arena["tail"],
            )
    plan = plan_arena(file)
    if plan is None:
        raise EnvironmentProblem(
            f"the model has too many activations to plan; measure with tflite-micro: {install_command('tflite-micro')}"
        )
    return ArenaFacts(
        basis="estimated",
        origin="Planned from the file: activations exactly, the interpreter's own part by estimate. Leave a margin.",
        arena_bytes=plan.arena_bytes,
        nonpersistent_bytes=plan.nonpersistent_bytes,
        persistent_bytes=plan.persistent_bytes,
    )


def _ends(tensors: Mapping[str, Tensor]) -> dict[str, TensorFacts]:
    return {
        name: TensorFacts(
            tensor.dtype,
            tensor.shape,
            tensor.scales[0] if tensor.scales else None,
            tensor.zero_points[0] if tensor.zero_points else None,
        )
        for name, tensor in tensors.items()
    }


def _operators(file: ModelFile) -> tuple[OperatorFacts, ...]:
    return tuple(
        OperatorFacts(
            row.operator,
            row.version,
            tuple(row.output_shape),
            row.multiply_accumulates,
            row.weight_bytes,
            row.activation_bytes,
        )
        for row in layer_costs(file)
    )
