"""Heads on backbones of their own, in one file: pruned, trained for int8, converted, and the device's bytes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import Cli
from tests.converted_backbones import patches
from tinycerb.boards.board import load_board
from tinycerb.boards.build import build_image, firmware_folder
from tinycerb.boards.device_response import answers_to, device_response
from tinycerb.boards.emulator import measure
from tinycerb.compression.masks import ChannelMasks
from tinycerb.compression.quantization import quantize_aware
from tinycerb.conversion.from_run import convert_model
from tinycerb.conversion.trained_model import from_quantization_aware
from tinycerb.converters.c_model.host import build_host_model
from tinycerb.converters.metadata import embed_metadata
from tinycerb.converters.model_file import read_model_file
from tinycerb.converters.wide_head import Head, widen_each
from tinycerb.errors import EnvironmentProblem, HardwareError
from tinycerb.events import ignore
from tinycerb.keras_models.hash_net import hash_net
from tinycerb.keras_models.layers import conv_block, depthwise_block
from tinycerb.keras_models.legacy import keras
from tinycerb.keras_models.multi_head import attach_own_backbones
from tinycerb.oracle import OracleSpec, SealedOracle
from tinycerb.runtimes.model_artifact import ModelArtifact
from tinycerb.runtimes.model_card import ModelDescription

SHAPE, CLASSES, MEMBERS = (16, 16, 1), 10, 2

# All heads of the file by TFLite's reference kernels.
TABLE = """
import sys
import numpy as np
from pathlib import Path
from tinycerb.runtimes.interpreter_model import open_interpreter
from tinycerb.runtimes.model_artifact import open_artifact
model = open_interpreter(open_artifact(Path(sys.argv[1])))
images = np.load(sys.argv[2])
table = model.all_heads(images)
alone = np.stack([model.invoke(images[0], head) for head in range(model.artifact.heads)])
assert (alone == table[0]).all()
np.save(sys.argv[3], table)
"""


def small_backbone() -> keras.Model:
    """A convolution, a depthwise one, an addition: every kind of channel group."""
    image = keras.layers.Input(SHAPE, name="image")
    x = conv_block(image, 16, kernel=3, stride=2, name="stem")
    y = conv_block(depthwise_block(x, kernel=3, stride=1, name="depthwise"), 16, kernel=1, stride=1, name="pointwise")
    x = conv_block(keras.layers.Add(name="add")([x, y]), 24, kernel=3, stride=2, name="last")
    return keras.Model(image, keras.layers.GlobalAveragePooling2D(name="features")(x))


def network() -> keras.Model:
    """Two members and the hash network, heads with a hidden layer."""
    keras.utils.set_random_seed(5)
    backbones = [small_backbone() for _ in range(MEMBERS)]
    return attach_own_backbones([*backbones, hash_net(SHAPE)], CLASSES, MEMBERS, hidden_units=8)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return patches(SHAPE)


@pytest.fixture(scope="module")
def converted(images, tmp_path_factory) -> Path:
    """Two members cut by half and a hash network, with the response that reads all three."""
    folder = tmp_path_factory.mktemp("ensemble")
    model = network()
    floats = images.astype(np.float32) / 255
    for _ in range(4):
        model(floats, training=True)
    masks = ChannelMasks(model, 0.5, 1, 2)
    masks.update(2)
    slim = masks.cut()
    exact = zip(model(floats, training=False), slim(floats, training=False), strict=True)
    assert max(np.abs(np.subtract(*pair)).max() for pair in exact) < 1e-4
    assert slim.count_params() < 0.5 * model.count_params()
    # No group of channels reaches from one network into another.
    prefixes = ("network1_", "network2_")
    for group in masks.groups:
        owners = {
            next((p for p in prefixes if name.startswith(p)), "") for name in (*group.producers, *group.followers)
        }
        assert len(owners) == 1
    wrapped = quantize_aware(slim)
    # Training would settle all ranges in thousands of steps; these images settle them in one.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            tf.__internal__.train, "assign_moving_average", lambda variable, value, *_, **__: variable.assign(value)
        )
        wrapped(floats, training=True)
    description = ModelDescription(victim="ensemble", image_shape=SHAPE, response="edm,members=2", combined_by="edm")
    trained = from_quantization_aware(wrapped, MEMBERS + 1)
    card = convert_model(trained, description, images, folder, ignore).card
    assert (card.heads, len(card.alphas), card.head_layout) == (3, 3, "per_head_backbones")
    return folder / "model.tflite"


def test_one_file_holds_all_networks_and_each_head_reads_its_own(converted, images, run_child, tmp_path) -> None:
    file = read_model_file(converted)
    names = [operator.name for operator in file.operators]
    assert names[-2:] == ["CONCATENATION", "GATHER"]
    assert names.count("FULLY_CONNECTED") == 6
    np.save(tmp_path / "images.npy", ModelArtifact.of(file).quantize(images))
    run_child(TABLE, converted, tmp_path / "images.npy", tmp_path / "table.npy")
    table = np.load(tmp_path / "table.npy")
    host = build_host_model(file, firmware_folder(), tmp_path / "host", responses=device_response(file))
    flat = host.infer(ModelArtifact.of(file).quantize(images))
    assert (flat.reshape(table.shape) != table).sum() == 0
    assert (host.answer(flat) != answers_to(file, table)[:, 0]).sum() == 0
    assert all(len(np.unique(table[:, head], axis=0)) > 10 for head in range(3))


def test_the_oracle_answers_as_the_device_and_opens_no_file_that_a_model_names(converted, images, tmp_path) -> None:
    file = read_model_file(converted)
    with SealedOracle(OracleSpec(str(converted), "probs", "fixed", 1)) as oracle:
        answers = oracle.query(images)
    host = build_host_model(file, firmware_folder(), tmp_path / "host", responses=device_response(file))
    expected = host.answer(host.infer(ModelArtifact.of(file).quantize(images)))
    assert (answers * 256 == expected).all()
    np.save(tmp_path / "matrix.npy", np.eye(CLASSES))
    metadata = {"heads": 3, "classes": CLASSES, "alphas": [1.0] * 3, "response": f"ntm,file={tmp_path / 'matrix.npy'}"}
    (tmp_path / "foreign.tflite").write_bytes(embed_metadata(converted.read_bytes(), metadata))
    oracle = SealedOracle(OracleSpec(str(tmp_path / "foreign.tflite"), "probs", "fixed", 1))
    with oracle, pytest.raises(EnvironmentProblem, match="it may name no other file"):
        oracle.query(images)


def test_the_device_runs_all_of_them_whatever_it_is_asked(converted, images, tmp_path) -> None:
    file, board = read_model_file(converted), load_board("qemu-m4")
    found = measure(build_image(file, board, tmp_path / "m4"), board, ModelArtifact.of(file).quantize(images[:40]))
    table = found.logits.reshape(40, MEMBERS + 1, CLASSES)
    assert (found.codes != answers_to(file, table)).sum() == 0
    assert np.ptp(found.inference_instructions) == np.ptp(found.answer_instructions) == 0


def test_an_ensemble_that_is_too_large_is_refused_with_what_is_missing(converted, cli: Cli, tmp_path) -> None:
    board = load_board("qemu-m4")
    small = replace(board, name="small", flash=replace(board.flash, bytes=8 * 1024))
    with pytest.raises(HardwareError, match=r"does not fit small: it needs .* bytes of FLASH, of which 8,192"):
        build_image(read_model_file(converted), small, tmp_path / "small")
    own = tmp_path / "small.toml"
    text = (Path(__file__).parents[2] / "tinycerb" / "boards" / "qemu-m4.toml").read_text()
    own.write_text(text.replace("bytes = 0x400000", f"bytes = {8 * 1024}", 1))
    done = cli("flash", converted, "--board", own, "--dry-run")
    assert done.returncode == 4
    assert "bytes of FLASH, of which 8,192 are there" in done.stderr


def test_every_head_fills_the_common_range() -> None:
    rng = np.random.default_rng(0)
    heads = [Head(rng.normal(size=(units, 4)), rng.normal(size=4), gain) for units, gain in ((6, 1.0), (9, 8.0))]
    first, second = widen_each(heads)
    assert first.output_range == second.output_range == 8.0
    assert (first.alphas, second.alphas) == ((8.0,), (1.0,))
    assert np.allclose(first.kernel, 8 * heads[0].kernel)
    with pytest.raises(ValueError, match="expected one shape"):
        widen_each([heads[0], Head(rng.normal(size=(6, 5)), rng.normal(size=5), 1.0)])
