"""Whole networks: models that TinyCerb did not make, and what several heads cost on a real backbone."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Cli
from tests.firmware.conftest import Case, Cases
from tests.firmware.networks import MLPERF_TINY, autoencoder, demo_net, patches
from tinycerb.boards.board import load_board
from tinycerb.boards.build import build_image, firmware_folder
from tinycerb.boards.emulator import Measurement, measure
from tinycerb.boards.firmware import build_firmware
from tinycerb.boards.session import flash_and_check
from tinycerb.conversion.from_tflite import convert_tflite
from tinycerb.conversion.options import ConversionOptions
from tinycerb.converters.c_model.host import build_host_model
from tinycerb.converters.model_file import parse_model

# Bytes count here, not instructions: 40 of these per tick at this shift, and no interrupt.
COARSE = 0


@pytest.fixture(scope="session")
def builds(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("networks")


@pytest.fixture(scope="module")
def strangers(cases: Cases) -> dict[str, Case]:
    """Plain single-output files in the manner of MLPerf Tiny."""
    return cases({name: make() for name, make in MLPERF_TINY.items()}, 12, patches)


@pytest.mark.parametrize("name", MLPERF_TINY)
def test_networks_of_mlperf_tiny_are_exact(strangers: dict[str, Case], builds: Path, name: str) -> None:
    case = strangers[name]
    host = build_host_model(case.file, firmware_folder(), builds / f"host-{name}")
    assert (host.infer(case.images) != case.expected[:, 0]).sum() == 0
    assert len(np.unique(case.expected)) >= 15
    for board in ("qemu-m4", "qemu-m55"):
        image = build_image(case.file, load_board(board), builds / f"{name}-{board}")
        found = measure(image, load_board(board), case.images[:3], COARSE)
        assert (found.logits != case.expected[:3]).sum() == 0, board
        # One tick is 40 instructions here.
        rest = int(found.inference_instructions[-1, 0]) - sum(found.layer_instructions)
        assert 0 <= rest <= 200 + case.expected.shape[-1]
        assert np.ptp(found.inference_instructions) == 0


@pytest.mark.parametrize(
    ("name", "benched_on"), list(zip(MLPERF_TINY, ("qemu-m4", "qemu-m55", "qemu-m4", "qemu-m55"), strict=True))
)
def test_networks_of_mlperf_tiny_are_converted_flashed_and_benched(
    cli: Cli, tmp_path: Path, builds: Path, name: str, benched_on: str
) -> None:
    """The way of a file from elsewhere; MobileNetV1 has dead filters, and an image that goes out in pieces."""
    path = tmp_path / f"{name}.tflite"
    path.write_bytes(MLPERF_TINY[name]())
    card = convert_tflite(path, tmp_path / "converted", ConversionOptions()).card
    kernels = [f"tc_{row.operator.lower()}" for row in card.operators if row.operator != "RESHAPE"]
    file = parse_model((tmp_path / "converted" / "model.tflite").read_bytes())
    flashed = {}
    for board in ("qemu-m4", "qemu-m55"):
        # What `flash` does; the runtime is compiled once for all of them.
        firmware = build_firmware(file, load_board(board), builds / f"{name}-{board}-served", "keyed")
        session = flash_and_check(firmware, load_board(board), bytes(16), "keyed", tmp_path, None, 200)
        assert session.vectors == 2
        counts = session.counts
        assert [layer.kernel for layer in firmware.image.model.layers] == kernels
        assert len(counts.layers) == len(kernels)
        assert min(counts.layers) > 0
        assert sum(counts.layers) + counts.rest == counts.inference
        # Calls, and the output's copy: seventeen instructions for sixteen bytes, of which an autoencoder has 640.
        assert 0 < counts.rest < 120 + 17 / 16 * firmware.image.model.output.bytes
        flashed[board] = counts
    assert flashed["qemu-m55"].inference < 0.5 * flashed["qemu-m4"].inference
    done = cli("bench", tmp_path / "converted", "--board", benched_on, "--json", "--time-limit", 200)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    layers = [layer["instructions"] for layer in facts["layers"]]
    assert sum(layers) + facts["rest_instructions"] == facts["inference_instructions"]
    assert facts["inference_instructions"] == pytest.approx(flashed[benched_on].inference, abs=10)
    assert layers == pytest.approx(flashed[benched_on].layers, abs=10)


def test_outputs_that_are_no_classes_go_out_as_they_are(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "autoencoder.tflite"
    path.write_bytes(autoencoder())
    done = cli("flash", path, "--board", "qemu-m4", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    # The golden comparison is over all 640 bytes.
    assert (facts["golden_vectors"], facts["golden_vectors_wrong"], facts["heads"]) == (2, 0, 1)
    assert facts["arena_bytes"] <= 640 + 640 + 2 * 640
    assert facts["answer_instructions"] < 2000


@pytest.mark.parametrize("board", ["qemu-m3", "qemu-m4", "qemu-m55"])
def test_three_heads_cost_what_one_costs(builds: Path, board: str) -> None:
    def build(heads: int) -> tuple[int, int, Measurement]:
        file = parse_model(demo_net(heads))
        image = build_image(file, load_board(board), builds / f"{heads}-heads-{board}")
        shape = file.inputs["image"].shape[1:]
        return image.flash_bytes, image.ram_bytes, measure(image, load_board(board), patches(shape, 1))

    (flash_1, ram_1, one), (flash_3, ram_3, three) = build(1), build(3)
    classes, features = 10, 96
    assert three.inference_instructions.max() <= 1.01 * one.inference_instructions.max()
    assert flash_3 - flash_1 <= 2 * classes * (features + 16)
    assert ram_3 == ram_1
    assert three.stack_bytes == one.stack_bytes


def test_the_draw_costs_little_at_28x28(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "demo_net.tflite"
    path.write_bytes(demo_net())
    done = cli("bench", path, "--board", "qemu-m4", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert 1000 < facts["draw_instructions"] <= 0.02 * facts["inference_instructions"]
