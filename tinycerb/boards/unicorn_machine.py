"""Runs images without QEMU, in Unicorn (a pip package): Cortex-M0 to M33, with a serial line or with semihosting.

python -m tinycerb.boards.unicorn_machine IMAGE CORE UART_ADDRESS boots an image with a CMSDK UART on a pseudo-terminal.
SysTick counts instructions executed: one tick each. Its interrupt is taken between blocks of code.
"""

import importlib
import os
import select
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from tinycerb.advice.install import install_command
from tinycerb.boards.elf import load_segments
from tinycerb.errors import EnvironmentProblem, HardwareError, UsageError

_CORES = {
    "cortex-m0": "UC_CPU_ARM_CORTEX_M0", "cortex-m0plus": "UC_CPU_ARM_CORTEX_M0", "cortex-m3": "UC_CPU_ARM_CORTEX_M3",
    "cortex-m4": "UC_CPU_ARM_CORTEX_M4", "cortex-m7": "UC_CPU_ARM_CORTEX_M7", "cortex-m33": "UC_CPU_ARM_CORTEX_M33",
}  # fmt: skip
_PAGE = 0x1000
_SYSTEM, _SYSTICK_CONTROL, _SYSTICK_VALUE = 0xE000E000, 0xE000E010, 0xE000E018
_RESERVED_VECTOR, _SYSTICK_VECTOR, _SYSTICK_INTERRUPT = 8, 15, 2
_ROUND = 2**24
_MEMORY_BYTES = 4 * 2**20


class Machine:
    """A core with memory, SysTick, and whatever else is attached to it.

    Args:
        elf: the image; its first words are the vector table.
        core: `cortex-m4`, ...

    Raises:
        EnvironmentProblem: Unicorn is not installed.
        UsageError: a core that it does not have.
    """

    def __init__(self, elf: Path, core: str) -> None:
        try:
            unicorn: Any = importlib.import_module("unicorn")
            arm_const: Any = importlib.import_module("unicorn.arm_const")
        except ImportError as error:
            raise EnvironmentProblem(
                f"unicorn is not installed; install it with: {install_command('unicorn')}"
            ) from error
        if core not in _CORES:
            raise UsageError(f"Unicorn has no {core}; it has {', '.join(_CORES)}")
        self.elf = elf
        self._unicorn, self._registers = unicorn, arm_const
        self._uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self._uc.ctl_set_cpu_model(getattr(arm_const, _CORES[core]))
        self._error: Exception | None = None
        self._counted, self._block = 0, 0
        self._round_began, self._interrupted = 0, False
        self._instructions: dict[tuple[int, int], int] = {}
        self._watch: Callable[[int, int], None] | None = None
        segments = load_segments(elf)
        stack, self._entry = struct.unpack("<2I", segments[0].content[:8])
        for origin in (segments[0].address & ~(_MEMORY_BYTES - 1), stack - 1 & ~(_MEMORY_BYTES - 1)):
            self._uc.mem_map(origin, _MEMORY_BYTES)
        self._uc.mem_map(_SYSTEM, _PAGE)
        for segment in segments:
            self._uc.mem_write(segment.address, segment.content)
        self._uc.reg_write(arm_const.UC_ARM_REG_SP, stack)
        self._uc.hook_add(unicorn.UC_HOOK_BLOCK, self._count_block)
        self._vectors = segments[0].address
        for access, hook in ((unicorn.UC_HOOK_MEM_READ, self._read_ticks), (unicorn.UC_HOOK_MEM_WRITE, self._restart)):
            self._uc.hook_add(access, hook, begin=_SYSTICK_VALUE, end=_SYSTICK_VALUE + 3)

    def run(self, limit: float) -> None:
        """Runs until something stops it.

        Args:
            limit: seconds; 0 for ever.

        Raises:
            HardwareError: the image crashed, or time is up.
        """
        began = time.monotonic()
        try:
            self._uc.emu_start(self._entry | 1, 0xFFFFFFFE, timeout=int(limit * 1e6))
            while self._interrupted and not (limit and time.monotonic() - began >= limit):
                self._take_interrupt()
                address = self._uc.reg_read(self._registers.UC_ARM_REG_PC)
                self._uc.emu_start(address | 1, 0xFFFFFFFE, timeout=int(limit * 1e6))
        except self._unicorn.UcError as error:
            address = self._uc.reg_read(self._registers.UC_ARM_REG_PC)
            raise self._error or HardwareError(f"{self.elf} crashed at {address:#x} in Unicorn: {error}") from error
        if self._error is not None:
            raise self._error
        if limit and time.monotonic() - began >= limit:
            raise HardwareError(f"{self.elf} did not end within {limit:g} seconds in Unicorn")

    def watch(self, block: Callable[[int, int], None]) -> None:
        """Calls `block` with address and bytes of each block of code before it is executed, interrupts apart."""
        self._watch = block

    def link(self) -> int:
        """Where the function that has just been called returns to."""
        return self._uc.reg_read(self._registers.UC_ARM_REG_LR) & ~1

    def code(self, address: int, size: int) -> bytes:
        """Bytes of memory."""
        return bytes(self._uc.mem_read(address, size))

    def attach(self, address: int, read: Callable[[int], int], write: Callable[[int, int], None]) -> None:
        """Puts a device's registers at an address; both callbacks get the register's offset."""
        self._uc.mmio_map(
            address, _PAGE, lambda _uc, offset, _size, _data: read(offset), None,
            lambda _uc, offset, _size, value, _data: write(offset, value), None,
        )  # fmt: skip

    def attach_semihosting(self, folder: Path) -> "Semihosting":
        """Serves files of a folder."""
        served = Semihosting(folder)
        registers = self._registers

        def interrupt(uc: Any, _number: int, _data: object) -> None:
            operation, block = uc.reg_read(registers.UC_ARM_REG_R0), uc.reg_read(registers.UC_ARM_REG_R1)
            try:
                result = served.serve(operation, block, uc)
            except Exception as error:  # An exception must not travel through the emulator's C frames.
                self._error, result = error, None
            if result is None:
                uc.emu_stop()
                return
            uc.reg_write(registers.UC_ARM_REG_R0, result & 0xFFFFFFFF)
            uc.reg_write(registers.UC_ARM_REG_PC, uc.reg_read(registers.UC_ARM_REG_PC) + 2 | 1)

        self._uc.hook_add(self._unicorn.UC_HOOK_INTR, interrupt)
        return served

    def _count_block(self, uc: Any, address: int, size: int, _data: object) -> None:
        if self._counted - self._round_began >= _ROUND and not self._interrupted:
            self._interrupted = True
            uc.emu_stop()
            return
        count = self._instructions.get((address, size))
        if count is None:
            count = self._instructions[address, size] = self._instructions_in(address, size)
        self._counted += count
        self._block = address + size
        if self._watch is not None and not self._interrupted:
            self._watch(address, size)

    def _instructions_in(self, address: int, size: int) -> int:
        """Thumb code: an instruction is a half-word, or two where the first begins with 11101 or 1111."""
        code = memoryview(self._uc.mem_read(address, size)).cast("H")
        count = at = 0
        while at < len(code):
            at += 2 if code[at] >> 11 >= 0b11101 else 1
            count += 1
        return count

    def _executed(self) -> int:
        """The block was counted as a whole when it began; what stands behind this instruction has not run yet."""
        here = self._uc.reg_read(self._registers.UC_ARM_REG_PC) & ~1
        left = self._instructions_in(here, self._block - here) if here < self._block else 0
        return self._counted - left

    def _restart(self, *_: object) -> None:
        self._round_began = self._executed()

    def _read_ticks(self, *_: object) -> None:
        """A round that ends inside a block has its interrupt before the next one, and shows its end until then."""
        shown = min(self._executed() - self._round_began, _ROUND - 1)
        self._uc.mem_write(_SYSTICK_VALUE, struct.pack("<I", -shown % _ROUND))

    def _take_interrupt(self) -> None:
        """Runs SysTick's handler as the core would: the registers on the stack, back to where it was."""
        registers = self._registers
        self._round_began += _ROUND
        (control,) = struct.unpack("<I", self._uc.mem_read(_SYSTICK_CONTROL, 4))
        if control & _SYSTICK_INTERRUPT:
            before = self._uc.context_save()
            (handler,) = struct.unpack("<I", self._uc.mem_read(self._vectors + 4 * _SYSTICK_VECTOR, 4))
            frame = (self._uc.reg_read(registers.UC_ARM_REG_SP) & ~7) - 32
            self._uc.mem_write(frame, bytes(32))
            self._uc.reg_write(registers.UC_ARM_REG_SP, frame)
            # Nothing else ever runs in the vector table.
            back = self._vectors + 4 * _RESERVED_VECTOR
            self._uc.reg_write(registers.UC_ARM_REG_LR, back | 1)
            self._uc.emu_start(handler | 1, back)
            self._uc.context_restore(before)
        self._interrupted = False


class _Memory(Protocol):
    def mem_read(self, address: int, size: int) -> bytearray: ...
    def mem_write(self, address: int, data: bytes) -> None: ...


class Semihosting:
    """Files and exit of Arm's semihosting, as far as the measuring image needs them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[Any] = []
        self.exit_code: int | None = None

    def serve(self, operation: int, block: int, memory: _Memory) -> int | None:
        """Returns the result, None at the end of the program."""
        words = struct.unpack("<3I", memory.mem_read(block, 12))
        if operation == 0x01:
            name = bytes(memory.mem_read(words[0], words[2])).decode()
            self._files.append((self._folder / Path(name).name).open({1: "rb", 5: "wb"}[words[1]]))
            return len(self._files)
        if operation == 0x20:
            self.exit_code = words[1]
            for opened in self._files:
                opened.close()
            return None
        file = self._files[words[0] - 1]
        if operation == 0x02:
            file.close()
            return 0
        if operation == 0x05:
            return words[2] - file.write(bytes(memory.mem_read(words[1], words[2])))
        if operation == 0x06:
            content = file.read(words[2])
            memory.mem_write(words[1], content)
            return words[2] - len(content)
        if operation == 0x0A:
            file.seek(words[1])
            return 0
        if operation == 0x0C:
            return os.fstat(file.fileno()).st_size
        raise HardwareError(f"the image asks for semihosting operation {operation:#x}, which is not served")


class Uart:
    """A CMSDK UART whose other end is a file descriptor."""

    _DATA, _STATE = 0, 4

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._received = bytearray()
        self._idle = 0

    def read(self, offset: int) -> int:
        """State: bit 1 when a byte is there. Whoever asks again and again waits, and sleeps meanwhile."""
        if offset == self._DATA:
            self._idle = 0
            return self._received.pop(0) if self._received else 0
        if offset != self._STATE:
            return 0
        self._idle += 1
        patience = 0.05 if self._idle > 2 else 0
        if not self._received and select.select([self._descriptor], [], [], patience)[0]:
            try:
                self._received += os.read(self._descriptor, 4096)
            except OSError:  # Nobody has the other end open.
                time.sleep(patience)
        return 2 if self._received else 0

    def write(self, offset: int, value: int) -> None:
        """Sends a byte."""
        if offset == self._DATA:
            self._idle = 0
            os.write(self._descriptor, bytes([value & 0xFF]))


def main() -> None:
    """Command line: IMAGE CORE UART_ADDRESS. Says on which pseudo-terminal the board is, as QEMU does."""
    import tty

    elf, core, address = sys.argv[1:]
    machine = Machine(Path(elf), core)
    master, slave = os.openpty()
    tty.setraw(slave)
    uart = Uart(master)
    machine.attach(int(address, 0), uart.read, uart.write)
    print(f"serial line redirected to {os.ttyname(slave)} (label serial0)", flush=True)  # noqa: T201
    machine.run(0)


if __name__ == "__main__":
    main()
