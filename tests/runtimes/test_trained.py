"""Trained victims in every runtime and kernel set, within the bounds that were measured."""

import numpy as np
import pytest

from tinycerb.datasets import load_dataset
from tinycerb.runtimes.isolated import head_inputs, run_model
from tinycerb.runtimes.model_artifact import open_artifact

# Largest difference of int8 logits to tflite-runtime's reference kernels, in steps (docs/conversion.md).
BOUNDS = {
    ("tflite-micro", "reference"): 0,
    ("tflite-runtime", "optimised"): 1,
    ("ai-edge-litert", "reference"): 1,
    ("ai-edge-litert", "optimised"): 4,
}


@pytest.mark.parametrize(("victim", "heads"), [("undefended", 1), ("cerberos", 3)])
def test_every_runtime_stays_within_its_bound(smoke_run, victim: str, heads: int) -> None:
    path = smoke_run.model(victim)
    codes = open_artifact(path).quantize(load_dataset(smoke_run.config.data).test.images[:100])
    inputs = head_inputs(codes, heads)
    reference = run_model(path, inputs, "tflite-runtime").outputs["logits"].astype(int)
    for (runtime, kernels), bound in BOUNDS.items():
        found = run_model(path, inputs, runtime, kernels).outputs["logits"]
        assert np.abs(found - reference).max() <= bound, (runtime, kernels)
