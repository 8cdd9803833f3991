"""A Keras 3 model gets told what to do, wherever it is handed in."""

import importlib

import pytest

from tinycerb.compression.channel_plan import plan_channels
from tinycerb.compression.quantization import quantize_aware
from tinycerb.errors import ExitCode, UsageError
from tinycerb.keras_models.legacy import Keras3ModelError, require_legacy_model


@pytest.fixture(scope="module")
def keras3_model():
    keras3 = importlib.import_module("keras")
    return keras3.Sequential([keras3.layers.Input((4,)), keras3.layers.Dense(2)])


@pytest.mark.parametrize("entrance", [plan_channels, quantize_aware])
def test_pruning_and_quantization_name_the_way_out(keras3_model, entrance) -> None:
    with pytest.raises(UsageError, match="import tf_keras as keras") as caught:
        entrance(keras3_model)
    assert caught.value.exit_code == ExitCode.USAGE


def test_other_things_are_no_models_either(keras3_model) -> None:
    with pytest.raises(Keras3ModelError):
        require_legacy_model(keras3_model)
    with pytest.raises(TypeError, match=r"got builtins\.str"):
        require_legacy_model("model")
