"""Checks of what firmware is made and tried with: compilers, emulators, the debug probe's program."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from tinycerb.advice.install import install_command, system_command
from tinycerb.boards.board import board_names, load_board
from tinycerb.boards.build import COMPILER_PACKAGES, EMULATOR_PACKAGE
from tinycerb.boards.probe import pyocd_command
from tinycerb.converters.child_process import die_with_parent
from tinycerb.doctor.finding import OK, WARN, Finding, try_command, try_python, version
from tinycerb.errors import EnvironmentProblem

_PROGRAM = "#include <string.h>\nint main(int count, char **words) { return count > 9 ? (int)strlen(words[9]) : 0; }\n"
_CROSS_FLAGS = ("-mcpu=cortex-m4", "-mthumb", "-nostartfiles", "--specs=nano.specs", "-Wl,-emain")

_RUN_UNICORN = """
import unicorn
machine = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
machine.mem_map(0, 0x1000)
machine.mem_write(0, bytes.fromhex("0720"))  # movs r0, #7
machine.emu_start(1, 2)
found = machine.reg_read(unicorn.arm_const.UC_ARM_REG_R0)
if found != 7:
    raise SystemExit(f"the emulated core has computed {found} instead of 7")
"""


def check_cross_compiler() -> Finding:
    """Links a small program against newlib, which is a package of its own."""
    name, remedy = "cross compiler", system_command(*COMPILER_PACKAGES)
    needed = "`tinycerb flash` and `bench --board` need it"
    return _compile(name, "arm-none-eabi-gcc", _CROSS_FLAGS, needed, remedy)


def check_host_compiler() -> Finding:
    """Links a library, as attacks and measurements do."""
    needed = "without it measurements and attacks take the reference kernels, many times as slow"
    compiler = "cc" if shutil.which("cc") else "gcc"
    return _compile("C compiler", compiler, ("-shared", "-fPIC"), needed, system_command("gcc", "libc6-dev"))


def check_emulator() -> Finding:
    """Asks QEMU for the machines of all boards that it emulates."""
    name, remedy = "QEMU", system_command(EMULATOR_PACKAGE)
    qemu = shutil.which("qemu-system-arm")
    if qemu is None:
        return Finding(name, WARN, "qemu-system-arm is not installed; the boards qemu-... need it", remedy)
    command = die_with_parent([qemu, "-machine", "help"])
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    boards = [load_board(board) for board in board_names()]
    wanted = sorted({board.machine for board in boards if board.flasher == "qemu"})
    missing = [machine for machine in wanted if not re.search(rf"^{re.escape(machine)} ", listed, re.MULTILINE)]
    if missing:
        return Finding(name, WARN, f"{qemu} lacks the machines {', '.join(missing)}; a newer QEMU has them", remedy)
    return Finding(name, OK, f"{qemu} has the machines of {len(wanted)} boards")


def check_pyocd() -> Finding:
    """Starts pyOCD; whether a probe is connected is for `tinycerb flash` to see."""
    name, remedy = "pyOCD", install_command("pyocd")
    try:
        command = pyocd_command("--version")
    except EnvironmentProblem:
        return Finding(name, WARN, "not installed; boards with a debug probe need it", remedy)
    return try_command(name, command, f"pyOCD {version('pyocd')} starts", WARN, remedy)


def check_unicorn() -> Finding:
    """Runs one instruction of a Cortex-M."""
    name, remedy = "Unicorn", install_command("unicorn")
    if version("unicorn") == "not installed":
        return Finding(name, WARN, "not installed; the boards unicorn-... need it", remedy)
    return try_python(name, _RUN_UNICORN, f"unicorn {version('unicorn')} ran an instruction", WARN, remedy)


TOOL_CHECKS: tuple[Callable[[], Finding], ...] = (
    check_host_compiler,
    check_cross_compiler,
    check_emulator,
    check_pyocd,
    check_unicorn,
)


def _compile(name: str, compiler: str, flags: tuple[str, ...], needed: str, remedy: str) -> Finding:
    found = shutil.which(compiler)
    if found is None:
        return Finding(name, WARN, f"{compiler} is not installed; {needed}", remedy)
    with tempfile.TemporaryDirectory(prefix="tinycerb-") as folder:
        source = Path(folder) / "program.c"
        source.write_text(_PROGRAM)
        command = [found, *flags, str(source), "-o", str(source.with_suffix(".out"))]
        return try_command(name, command, f"{found} compiles and links", WARN, remedy)
