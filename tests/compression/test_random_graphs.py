"""Random small networks: the plan is consistent, and surgery leaves the outputs as they are."""

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.compression.pruned import largest_difference, prune
from tinycerb.compression.channel_plan import plan_channels
from tinycerb.compression.quantization import quantize_aware
from tinycerb.conversion.trained_model import from_quantization_aware
from tinycerb.converters.export import export_int8
from tinycerb.keras_models.legacy import keras

L = keras.layers
STEP = st.sampled_from(["conv", "strided", "depthwise", "norm", "relu", "add", "concat", "pool"])


def build(steps: list[str], widths: list[int], flat: bool) -> keras.Model:
    """Builds a network that takes the steps in order, each on the newest tensor."""
    keras.utils.set_random_seed(1)
    biased: dict[str, Any] = {"bias_initializer": "random_normal"}
    image = x = L.Input((8, 8, 2))
    for step, width in zip(steps, widths, strict=True):
        if step == "conv":
            x = L.Conv2D(width, 3, padding="same", **biased)(x)
        elif step == "strided":
            x = L.Conv2D(width, 1, 2, padding="same", **biased)(x)
        elif step == "depthwise":
            x = L.DepthwiseConv2D(3, padding="same", **biased)(x)
        elif step == "norm":
            x = L.BatchNormalization(
                scale=width % 8 == 0,
                beta_initializer="random_normal",
                moving_mean_initializer="random_normal",
                moving_variance_initializer="ones",
            )(x)
        elif step == "relu":
            x = L.ReLU()(x)
        elif step == "add":
            x = L.Add()([x, L.Conv2D(int(x.shape[-1]), 3, padding="same", **biased)(x)])
        elif step == "concat":
            x = L.Concatenate()([x, L.Conv2D(width, 1, **biased)(x)])
        elif step == "pool":
            x = L.MaxPooling2D(2, padding="same")(x)
    x = L.Flatten()(x) if flat else L.GlobalAveragePooling2D()(x)
    x = L.Dense(12, activation="relu", **biased)(x)
    return keras.Model(image, [L.Dense(3, name=f"head_{index}", **biased)(x) for index in range(2)])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(
    steps=st.lists(STEP, min_size=1, max_size=6),
    widths=st.lists(st.sampled_from([4, 8, 12, 20]), min_size=6, max_size=6),
    flat=st.booleans(),
    ratio=st.sampled_from([0.25, 0.5, 0.9]),
)
def test_plan_is_consistent_and_surgery_exact(steps: list[str], widths: list[int], flat: bool, ratio: float) -> None:
    model = build(steps, widths[: len(steps)], flat)
    plan = plan_channels(model)
    layers: list[Any] = model.layers
    for layer in layers:
        channels = sum(plan.sizes[segment] for segment in plan.outputs[layer.name].segments)
        assert channels * plan.outputs[layer.name].positions == int(layer.output.shape[-1])
    for group in plan.groups:
        assert group.producers
        assert group.consumers
    pruned = prune(model, ratio)
    assert all(4 <= kept <= group.channels for kept, group in zip(pruned.kept, pruned.groups, strict=True))
    assert largest_difference(pruned, images=4) == 0.0


RUN = """
import sys
import numpy as np
from pathlib import Path
from tinycerb.runtimes.interpreter_model import open_interpreter
from tinycerb.runtimes.model_artifact import open_artifact
for path in sys.argv[1:]:
    model = open_interpreter(open_artifact(Path(path)))
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 2), dtype=np.uint8)
    print(model.all_heads(model.artifact.quantize(images)).shape)
"""


@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    steps=st.lists(st.sampled_from(["conv", "strided", "depthwise", "relu", "add"]), min_size=2, max_size=5),
    widths=st.lists(st.sampled_from([4, 8, 12]), min_size=5, max_size=5),
    flat=st.booleans(),
)
def test_what_was_cut_converts_and_loads(run_child, tmp_path, steps: list[str], widths: list[int], flat: bool) -> None:
    """Cut, quantized, converted for real, and run by tflite-runtime."""
    slim = prune(build(steps, widths[: len(steps)], flat)).slim
    wrapped = quantize_aware(slim)
    wrapped(np.random.default_rng(0).random((8, 8, 8, 2), np.float32), training=True)
    source = from_quantization_aware(wrapped, 2)
    content = export_int8(source.backbone, source.heads, (8, 8, 2), {"class_names": ["a", "b", "c"]})
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    assert run_child(RUN, path) == "(3, 2, 3)\n"
