"""What a price depends on, of one instruction."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Instruction:
    """A Thumb instruction.

    Attributes:
        name: mnemonic without width, condition and flags: `ldr`, `smlad`.
        conditional: whether it does something only sometimes.
        loads: registers that it reads from memory.
        stores: how many registers it writes to memory.
        address: registers that its address is made of.
        indexed: whether one of them is an offset.
        updates_base: whether it also moves the base.
        jumps: whether it may write the program counter.
    """

    name: str
    conditional: bool = False
    loads: tuple[str, ...] = ()
    stores: int = 0
    address: tuple[str, ...] = ()
    indexed: bool = False
    updates_base: bool = False
    jumps: bool = False
