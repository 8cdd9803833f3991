# pyright: reportAssignmentType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportArgumentType=false, reportReturnType=false, reportCallIssue=false
"""A debug probe for pyOCD with a chip behind it that is nothing but memory; found through PYTHONPATH.

FAKE_PROBE_CPUID tells which core the chip has. What was written to memory is appended to FAKE_PROBE_WRITES as lines of
JSON, [address, bytes in hexadecimal]. The core halts and is reset when it is told to, but executes nothing.
"""

import json
import os
from pathlib import Path

from pyocd.core.memory_interface import MemoryInterface
from pyocd.core.plugin import Plugin
from pyocd.probe.debug_probe import DebugProbe
from pyocd.utility.conversion import byte_list_to_u32le_list

ROM_TABLE, CONTROL_SPACE = 0xE00FF000, 0xE000E000
CPUID, AIRCR, DHCSR, DCRSR = (CONTROL_SPACE + offset for offset in (0xD00, 0xD0C, 0xDF0, 0xDF4))
HALTED, REGISTER_READY, JUST_RESET = 1 << 17, 1 << 16, 1 << 25
# Identification of CoreSight components, ARM IHI 0029: four component ID bytes, then peripheral ID bytes 4 and 0 to 3.
IDENTIFICATION = {
    ROM_TABLE: ((0x0D, 0x10, 0x05, 0xB1), 0x04, (0xC4, 0xB4, 0x0B, 0x00)),
    CONTROL_SPACE: ((0x0D, 0xE0, 0x05, 0xB1), 0x04, (0x0C, 0xB0, 0x0B, 0x00)),
}


class Chip(MemoryInterface):
    """Memory that starts as zeros."""

    def __init__(self) -> None:
        self._bytes: dict[int, int] = {}
        self._halted = self._reset = False
        self._set(CPUID, int(os.environ["FAKE_PROBE_CPUID"], 16))
        self._set(ROM_TABLE, (CONTROL_SPACE - ROM_TABLE) & 0xFFFFF000 | 3)
        for base, (component, continuation, peripheral) in IDENTIFICATION.items():
            for index in range(4):
                self._set(base + 0xFF0 + 4 * index, component[index])
                self._set(base + 0xFE0 + 4 * index, peripheral[index])
            self._set(base + 0xFD0, continuation)

    def read_memory(self, address, transfer_size=32, now=True, **attributes):
        """Reads one to four bytes."""
        if address == DHCSR:
            value = HALTED * self._halted | REGISTER_READY | JUST_RESET * self._reset
            self._reset = False
        else:
            value = int.from_bytes(self.read_memory_block8(address, transfer_size // 8), "little")
        return value if now else lambda: value

    def write_memory(self, address, data, transfer_size=32, **attributes):
        """Writes one to four bytes."""
        if address == DHCSR:
            self._halted = bool(data & 2)
        elif address == AIRCR:
            self._reset = True
        else:
            self._set(address, data, transfer_size // 8)

    def read_memory_block8(self, address, size, **attributes):
        """Reads bytes."""
        return [self._bytes.get(address + offset, 0) for offset in range(size)]

    def write_memory_block8(self, address, data, **attributes):
        """Writes bytes and notes them."""
        self._bytes.update({address + offset: byte for offset, byte in enumerate(data)})
        with Path(os.environ["FAKE_PROBE_WRITES"]).open("a") as log:
            log.write(json.dumps([address, bytes(data).hex()]) + "\n")

    def read_memory_block32(self, address, size, **attributes):
        """Reads words."""
        return byte_list_to_u32le_list(self.read_memory_block8(address, 4 * size))

    def write_memory_block32(self, address, data, **attributes):
        """Writes words."""
        self.write_memory_block8(address, b"".join(word.to_bytes(4, "little") for word in data))

    def _set(self, address: int, value: int, size: int = 4) -> None:
        self._bytes.update({address + at: value >> 8 * at & 0xFF for at in range(size)})


# What the debug port and its one access port say: DPv1, a memory access port for AHB, its ROM table.
DEBUG_PORT = {0x0: 0x2BA01477, 0x4: 0xF0000000}
ACCESS_PORT = {0xFC: 0x24770011, 0xF8: ROM_TABLE | 3, 0xF4: 0, 0x00: 0x23000052}


class FakeProbe(DebugProbe):
    """One probe, always there."""

    def __init__(self) -> None:
        super().__init__()
        self._chip = Chip()
        self._select = 0
        self._open = False
        self._protocol = None

    @classmethod
    def get_all_connected_probes(cls, unique_id=None, is_explicit=False):
        """There is always one."""
        return [cls()]

    @classmethod
    def get_probe_with_id(cls, unique_id, is_explicit=False):
        """Only the one."""
        return cls() if unique_id == "fake" else None

    vendor_name = "Fake"
    product_name = "Probe"
    unique_id = "fake"
    supported_wire_protocols = (DebugProbe.Protocol.DEFAULT, DebugProbe.Protocol.SWD)
    capabilities = frozenset()
    is_open = property(lambda self: self._open)
    wire_protocol = property(lambda self: self._protocol)

    def open(self):
        """Nothing to open."""
        self._open = True

    def close(self):
        """Nothing to close."""
        self._open = False

    def connect(self, protocol=None):
        """Always by SWD."""
        self._protocol = DebugProbe.Protocol.SWD

    def disconnect(self):
        """Nothing to end."""
        self._protocol = None

    def set_clock(self, frequency):
        """Any."""

    def reset(self):
        """The chip forgets nothing."""

    def assert_reset(self, asserted):
        """The chip forgets nothing."""

    def is_reset_asserted(self):
        """Never."""
        return False

    def read_dp(self, addr, now=True):
        """Debug port."""
        value = DEBUG_PORT.get(addr, 0)
        return value if now else lambda: value

    def write_dp(self, addr, data):
        """Debug port: remembers which access port is meant."""
        if addr == 0x8:
            self._select = data

    def read_ap(self, addr, now=True):
        """Access port 0; there are no others."""
        number, register = self._select >> 24, self._select & 0xF0 | addr & 0xC
        value = ACCESS_PORT.get(register, 0) if number == 0 else 0
        return value if now else lambda: value

    def write_ap(self, addr, data):
        """Nothing needs it: memory is reached directly."""

    def get_memory_interface_for_ap(self, ap_address):
        """The chip's memory."""
        return self._chip


class FakeProbePlugin(Plugin):
    """How pyOCD finds it."""

    name = "fake"
    description = "memory instead of a chip"

    def load(self):
        """Returns the probe."""
        return FakeProbe
