"""Machine code to instructions, by capstone."""

from collections.abc import Callable

from tinycerb.advice.install import install_command
from tinycerb.boards.cycle_model.instruction import Instruction
from tinycerb.errors import EnvironmentProblem

Decoder = Callable[[bytes, int], list[Instruction]]

_JUMPS = {"b", "bl", "bx", "blx", "cbz", "cbnz", "tbb", "tbh"}
_CONDITIONAL = {"cbz", "cbnz"}
_MULTIPLE = {"ldm", "ldmdb", "pop", "stm", "stmdb", "push", "vldmia", "vldmdb", "vpop", "vstmia", "vstmdb", "vpush"}
# Whose first operand is no base register.
_STACK = {"push", "pop", "vpush", "vpop"}
_NO_ACCESS = {"pld", "pldw", "pli", "adr"}


def open_decoder() -> Decoder:
    """Returns what turns bytes at an address into instructions.

    Raises:
        EnvironmentProblem: capstone is not installed.
    """
    try:
        import capstone
        from capstone import arm_const
    except ImportError as error:
        raise EnvironmentProblem(
            f"capstone is not installed; install it with: {install_command('capstone')}"
        ) from error
    engine = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    engine.detail = True
    always = (arm_const.ARM_CC_AL, arm_const.ARM_CC_INVALID)

    def decode(code: bytes, address: int) -> list[Instruction]:
        found = []
        for each in engine.disasm(code, address):
            name = str(each.insn_name())
            registers = [str(each.reg_name(part.reg)) for part in each.operands if part.type == arm_const.ARM_OP_REG]
            places = [part.mem for part in each.operands if part.type == arm_const.ARM_OP_MEM]
            moved: list[str] = []
            if name in _MULTIPLE:
                moved = registers if name in _STACK else registers[1:]
            elif places and name not in _NO_ACCESS:
                moved = registers[: 2 if name in ("ldrd", "strd") else 1]
            # A double register is two words.
            moved = [register for register in moved for _ in range(2 if register.startswith("d") else 1)]
            stores = name.startswith(("st", "push", "vst", "vpush"))
            based = [str(each.reg_name(number)) for place in places for number in (place.base, place.index) if number]
            found.append(
                Instruction(
                    name=name,
                    conditional=name in _CONDITIONAL or (name != "it" and each.cc not in always),
                    loads=() if stores else tuple(moved),
                    stores=len(moved) if stores else 0,
                    address=tuple(based),
                    indexed=any(place.index for place in places),
                    updates_base=bool(each.writeback or each.post_index) and name not in _STACK,
                    jumps=name in _JUMPS or "pc" in moved or (name == "mov" and registers[:1] == ["pc"]),
                )
            )
        return found

    return decode
