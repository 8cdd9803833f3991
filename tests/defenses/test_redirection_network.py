"""GRAD^2's direction per class, against exact forward-mode differentiation."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.defenses.conftest import CLASSES, small_network
from tinycerb.answers.responses.building_blocks.redirection_network import TARGETS, redirection_network, to_float_tflite
from tinycerb.conversion.fitting import distil_surrogate
from tinycerb.defenses.base import TrainingContext
from tinycerb.events import ignore


@pytest.fixture
def distilled(context: TrainingContext):
    surrogate = small_network(1)
    train = context.dataset.train
    distil_surrogate(surrogate, train.images, np.eye(CLASSES, dtype="f")[train.labels], 2, 1, ignore)
    images = np.concatenate([train.images[:50], context.other_images[:50]]).astype(np.float32) / 255
    return surrogate, images, context


@pytest.mark.parametrize("target", list(TARGETS))
def test_it_is_the_derivative_of_the_log_posterior_along_the_target(distilled, target: str) -> None:
    surrogate, images, context = distilled
    marked = context.other_images[100:120].astype(np.float32) / 255
    direction = TARGETS[target](surrogate, marked, np.arange(20) % CLASSES, np.random.default_rng(5))
    found = redirection_network(surrogate, direction)(images).numpy()
    with tf.autodiff.ForwardAccumulator(
        surrogate.trainable_variables, [tf.constant(part) for part in direction]
    ) as accumulator:
        log_posteriors = tf.nn.log_softmax(surrogate(images))
    exact = accumulator.jvp(log_posteriors).numpy()
    assert np.abs(found - exact).max() <= 0.02 * np.abs(exact).max()
    assert (found.argmax(axis=1) == exact.argmax(axis=1)).mean() >= 0.98
    assert np.unique(exact.argmax(axis=1)).size > 1


RUN = """
import sys
import numpy as np
from tflite_runtime.interpreter import Interpreter
interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
answers = []
for image in np.load(sys.argv[2]):
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[np.newaxis])
    interpreter.invoke()
    answers.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
np.save(sys.argv[3], answers)
"""


def test_the_file_says_the_same_without_tensorflow(distilled, tmp_path) -> None:
    surrogate, images, _ = distilled
    direction = TARGETS["all_ones"](surrogate, images, np.zeros(1), np.random.default_rng(5))
    network = redirection_network(surrogate, direction)
    (tmp_path / "redirection.tflite").write_bytes(to_float_tflite(network))
    np.save(tmp_path / "images.npy", images[:20])
    paths = [str(tmp_path / name) for name in ("redirection.tflite", "images.npy", "found.npy")]
    subprocess.run([sys.executable, "-c", RUN, *paths], check=True, capture_output=True)
    expected = network(images[:20]).numpy()
    found = np.load(tmp_path / "found.npy")
    assert np.abs(found - expected).max() <= 0.02 * np.abs(expected).max()
