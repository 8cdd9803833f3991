"""Prices of code, beside a count by hand with the manual; and blocks that are executed as often as they are counted."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.firmware.networks import demo_net, patches
from tests.firmware.random_models import random_model
from tinycerb.boards.board import load_board
from tinycerb.boards.build import build_image
from tinycerb.boards.cycle_model.block_counts import Blocks, Watch
from tinycerb.boards.cycle_model.calibrated import CALIBRATED, CORTEX_M4_RESULTS, PublicResult, calibrate
from tinycerb.boards.cycle_model.calibration import UNCALIBRATED
from tinycerb.boards.cycle_model.cores import TIMINGS
from tinycerb.boards.cycle_model.decode import open_decoder
from tinycerb.boards.cycle_model.estimate import CycleEstimate, estimate_cycles, priced
from tinycerb.boards.cycle_model.span import Span, exactly
from tinycerb.boards.cycle_model.timings import price
from tinycerb.boards.cycle_model.work import multiply_accumulates
from tinycerb.boards.elf import function_addresses, load_segments
from tinycerb.boards.emulator import measure_in_unicorn
from tinycerb.boards.unicorn_machine import Machine
from tinycerb.converters.c_model.model import lower_model
from tinycerb.converters.model_file import parse_model

# Ten rounds, counted by hand beside each line: D is a division (2 to 12 cycles, 7), P a pipeline's refill (1 to 3, 2).
LOOP = """
    .syntax unified
    .section .vectors, "a"
    .word 0x20002000, reset + 1
    .text
    .thumb_func
reset:
    bl tc_answer
    bl tc_infer_profiled
    movs r0, #0x20
    ldr r1, =block
    bkpt 0xab
    .thumb_func
    .global tc_answer
tc_answer:
    bx lr                   @ 1 + P
    .thumb_func
    .global tc_infer_profiled
tc_infer_profiled:
    push {r4-r7, lr}        @ 1 + 5
    movs r0, #10            @ 1
    mov.w r1, #0x20000000   @ 1
loop:
    ldrd r2, r3, [r1]       @ 1 + 2: two words
    ldr r4, [r1, #8]        @ 2
    ldr r5, [r1, #12]       @ 1: behind a load
    mul r4, r4, r5          @ 1
    smlad r6, r2, r3, r6    @ 1
    str r6, [r1, #16]       @ 1: the data goes out during the next one
    ldr r7, [r1]            @ 2
    ldr r7, [r7]            @ 2: its address is what was loaded
    udiv r4, r0, r0         @ D
    subs r0, #1             @ 1
    bne loop                @ 1, and P nine times
    bl layer_done           @ 1 + P
    pop {r4-r7, pc}         @ 1 + 5 + P, behind the layer
    .thumb_func
    .global layer_done
layer_done:
    bx lr
    .ltorg
block:
    .word 0x20026, 0, 0
"""


def assembled(source: str, folder: Path, core: str = "cortex-m4") -> Path:
    (folder / "loop.s").write_text(source)
    elf = folder / "loop.elf"
    command = ["arm-none-eabi-gcc", f"-mcpu={core}", "-mthumb", "-nostdlib", "-Wl,--section-start=.vectors=0"]
    command += ["-Wl,-Ttext=0x100", "-Wl,-e,tc_answer", str(folder / "loop.s"), "-o", str(elf)]
    subprocess.run(command, check=True)
    return elf


def watched(elf: Path, core: str) -> tuple[Watch, Machine]:
    machine = Machine(elf, core)
    answer, inference, mark = function_addresses(elf, ("tc_answer", "tc_infer_profiled", "layer_done"))
    watch = Watch(answer, inference, mark, machine.link)
    machine.watch(watch)
    served = machine.attach_semihosting(elf.parent)
    machine.run(10)
    assert served.exit_code == 0
    return watch, machine


def test_a_loop_costs_what_the_manual_says(tmp_path: Path) -> None:
    watch, machine = watched(assembled(LOOP, tmp_path), "cortex-m4")
    decode, timings = open_decoder(), TIMINGS["cortex-m4"]
    layer, rest = (priced(blocks, machine, decode, timings) for blocks in watch.layers)
    rounds, division, refill = 10, Span(2, 7, 12), Span(1, 2, 3)
    once = exactly(6 + 1 + 1 + 1) + refill
    loop = exactly(3 + 2 + 1 + 1 + 1 + 1 + 2 + 2 + 1 + 1) + division
    assert layer == once + loop.times(rounds) + refill.times(rounds - 1)
    assert layer.typical == 11 + 220 + 18
    assert rest == exactly(6) + refill
    assert priced(watch.answers, machine, decode, timings) == exactly(1) + refill


# What a row of instructions costs by table 3-1 and section 3.3.2 of the manuals of M3 and M4; a jump is taken.
SEQUENCES = {
    "ldr r0, [r1]; ldr r2, [r3]; ldr r4, [r5]": 4,
    "ldr r0, [r1]; str r2, [r3, #4]": 3,
    "ldr r0, [r1]; str r2, [r3, r4]": 3,
    "str r2, [r3, r4]": 2,
    "str r2, [r3]; ldr r0, [r1]": 3,
    "ldr r0, [r1], #4; ldr r2, [r3]": 4,
    "ldrb r0, [r1], #1; ldrb r2, [r1], #1": 4,
    "strb r0, [r1], #1": 1,
    "ldr r0, [r1]; ldr r2, [r0]": 4,
    "ldrd r0, r1, [r2]; ldr r3, [r4]": 5,
    "strd r0, r1, [r2]": 3,
    "ldm r0!, {r1, r2, r3}": 4,
    "stm r0!, {r1, r2, r3, r4}": 5,
    "push {r4, lr}": 3,
    "b .": 3,
    "bl .": 3,
    "bx lr": 3,
    "pop {r4, pc}": 5,
    "ldr pc, [r1]": 4,
    "tbb [pc, r0]": 4,
    "adds r0, r1": 1,
    "movw r0, #1234": 1,
    "sdiv r0, r1, r2": 7,
    "mul r0, r1, r2": 1,
}
BY_CORE = {
    "cortex-m3": SEQUENCES | {"mla r0, r1, r2, r3": 2, "smull r0, r1, r2, r3": 4, "smlal r0, r1, r2, r3": 6},
    "cortex-m4": SEQUENCES
    | {"mla r0, r1, r2, r3": 1, "smull r0, r1, r2, r3": 1, "smlad r0, r1, r2, r3": 1, "smmulr r0, r1, r2": 1}
    | {"sxtb16 r0, r1": 1, "ssat r0, #8, r1": 1, "pkhbt r0, r1, r2": 1, "vldr s0, [r0]": 2, "vmov r0, s0": 1},
    "cortex-m0": {
        "ldr r0, [r1]; ldr r2, [r3]": 4, "str r0, [r1]": 2, "ldm r0!, {r1, r2}": 3, "push {r4, lr}": 3, "b .": 3,
        "bl .": 4, "bx lr": 3, "pop {r4, pc}": 6, "muls r0, r1": 1, "adds r0, r1": 1,
    },
    "cortex-m0plus": {
        "ldr r0, [r1]": 2, "push {r4, lr}": 3, "b .": 2, "bl .": 3, "bx lr": 2, "pop {r4, pc}": 5, "muls r0, r1": 1,
    },
}  # fmt: skip


@pytest.mark.parametrize("core", BY_CORE)
def test_instructions_cost_what_the_manual_says(tmp_path: Path, core: str) -> None:
    floats = [".fpu fpv4-sp-d16"] if core == "cortex-m4" else []
    lines = [".syntax unified", *floats]
    for number, sequence in enumerate(BY_CORE[core]):
        lines += [".thumb_func", f"f{number}:", *sequence.split(";"), ".balign 4"]
    elf = assembled("\n".join([*lines, ".global tc_answer", "tc_answer: nop", ""]), tmp_path, core)
    addresses = function_addresses(elf, [f"f{number}" for number in range(len(BY_CORE[core]))])
    (segment,) = (part for part in load_segments(elf) if part.address <= addresses[0] < part.end)
    decode, found = open_decoder(), {}
    for sequence, address in zip(BY_CORE[core], addresses, strict=True):
        code = decode(segment.content[address - segment.address :][:16], address)
        each = price(code[: sequence.count(";") + 1], TIMINGS[core])
        found[sequence] = each.always.typical + each.jumped.typical
    assert found == BY_CORE[core]


def executed(blocks: Blocks, machine: Machine) -> int:
    decode = open_decoder()
    return sum(len(decode(machine.code(*key), key[0])) * block.executed for key, block in blocks.items())


@pytest.mark.parametrize("core", ["m0", "m3", "m4"])
def test_blocks_are_executed_as_often_as_qemu_counts(tmp_path: Path, core: str) -> None:
    """Layer by layer: what is priced is what runs."""
    board = load_board("qemu-m3" if core == "m0" else f"qemu-{core}")
    board = dataclasses.replace(load_board(f"unicorn-{core}"), flash=board.flash, ram=board.ram)
    image = build_image(parse_model(random_model(3)), board, tmp_path / "image")
    images = patches(image.model.image.shape[1:], 1)
    found = measure_in_unicorn(image, board, images)
    watch, machine = watched(image.elf, board.core)
    counts = [executed(blocks, machine) for blocks in watch.layers[:-1]]
    whole = sum(counts) + executed(watch.layers[-1], machine)
    assert whole == pytest.approx(int(found.inference_instructions[-1, 0]), abs=30)
    # Reading the clock costs something there, which is taken off the layers in equal parts, off the first too much.
    assert counts == pytest.approx(found.layer_instructions, abs=40)
    assert counts[1:] == pytest.approx(found.layer_instructions[1:], abs=8)
    assert executed(watch.answers, machine) == pytest.approx(int(found.answer_instructions[-1, -1]), abs=20)


def test_an_estimate_adds_up_and_says_where_it_comes_from(tmp_path: Path) -> None:
    file, board = parse_model(demo_net()), load_board("qemu-m4")
    found = estimate_cycles(file, board, tmp_path / "image")
    assert isinstance(found, CycleEstimate)
    parts = [*found.layers, found.rest]
    assert found.inference.typical == pytest.approx(sum(part.typical for part in parts))
    assert all(part.low < part.typical < part.high for part in (*parts, found.answer))
    assert "Cortex-M4 Technical Reference Manual" in found.source
    assert found.calibration is CALIBRATED["cortex-m4"]
    # Only the selected head of three is computed.
    layers = lower_model(file, "dsp").layers
    assert multiply_accumulates(layers[-1]) == 10 * 96
    assert sum(map(multiply_accumulates, layers)) == 1_226_720


@pytest.mark.parametrize(("name", "said"), [("qemu-m7", "Cortex-M7"), ("qemu-m33", "Cortex-M33"), ("qemu-m55", "M55")])
def test_cores_without_a_table_have_no_estimate(tmp_path: Path, name: str, said: str) -> None:
    found = estimate_cycles(parse_model(random_model(3)), load_board(name), tmp_path / "image")
    assert isinstance(found, str)
    assert said in found


@pytest.mark.parametrize("missing", ["unicorn", "capstone"])
def test_without_the_extra_the_command_that_installs_it_is_told(tmp_path: Path, monkeypatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    found = estimate_cycles(parse_model(random_model(3)), load_board("qemu-m4"), tmp_path / "image")
    assert isinstance(found, str)
    assert f"{missing} is not installed; install it with: " in found


def test_the_factor_is_made_of_two_networks_and_checked_on_others() -> None:
    used = [result.network for result in CORTEX_M4_RESULTS if result.used]
    assert used == ["DS-CNN", "MobileNetV1"]
    whole = CALIBRATED["cortex-m4"]
    assert 1.0 < whole.factor.typical < whole.factor.high
    for result in CORTEX_M4_RESULTS:
        assert whole.factor.low <= result.ratio <= whole.factor.high
        # What is printed as error where it was not used.
        assert abs(whole.factor.typical / result.ratio - 1) <= (0.1 if result.network == "ResNet-8" else 0.2)
    # 100 ms at 120 MHz are 12 million cycles.
    half = calibrate([PublicResult("a", 100, 6e6, True), PublicResult("b", 100, 6e6, False)])
    assert (half.factor.typical, half.factor.high) == (2.0, 2.0)
    assert "b 0%" in half.told
    assert half.applied(Span(1, 2, 3)) == Span(1, 4, 6)
    assert UNCALIBRATED.applied(Span(1, 2, 3)).typical == 2


def test_bench_prints_both_columns(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "demo_net.tflite"
    path.write_bytes(demo_net())
    done = cli("bench", path, "--board", "qemu-m4", "--clock", "80MHz")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    text = " ".join(done.stdout.split())
    assert re.search(r"inference 2,\d{3},\d{3} 4,\d{3},\d{3} 3\.\d\d 1\d%", text)
    assert re.search(r"an estimate of 4,\d{3},\d{3} cycles; band 3,\d{3},\d{3} to 5,\d{3},\d{3}", text)
    assert re.search(r"at 80 MHz: an estimate of [\d.]+ ms; band [\d.]+ to [\d.]+ ms", text)
    assert "error where not used: ResNet-8" in text
    facts = json.loads(cli("bench", path, "--board", "qemu-m4", "--json").stdout)
    cycles = facts["estimated_cycles"]
    assert cycles["basis"] == "estimated"
    assert "milliseconds" not in cycles
    assert cycles["inference"]["cycles"] == pytest.approx(
        sum(layer["cycles"] for layer in cycles["layers"]) + cycles["rest"]["cycles"], abs=20
    )
    assert len(cycles["layers"]) == len(facts["layers"])
    assert cli("bench", path, "--board", "qemu-m4", "--clock", "80").returncode == 2
