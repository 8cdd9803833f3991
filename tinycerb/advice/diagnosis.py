"""From whatever went wrong to one message and an exit code: nobody should have to read a traceback."""

import errno

from tinycerb.errors import EnvironmentProblem, InternalError, Interrupted, TinyCerbError, UsageError
from tinycerb.plugins import blame

# What oneDNN's status 1 is: TensorFlow passes it on as a number. 2 are wrong arguments, 3 is what it does not have.
_ONEDNN_OUT_OF_MEMORY = "Operation received an exception:Status: 1,"

# Where a traceback can be seen.
ASK_FOR_IT = "TINYCERB_DEBUG=1 before the command shows where"
IN_THE_LOG = "where, stands in the log"


def diagnose(error: BaseException, traceback: str = ASK_FOR_IT) -> TinyCerbError:
    """Returns an error as one that a user can act on; one that is such already is left as it is.

    Args:
        error: what was raised.
        traceback: where the traceback can be seen, for what is a fault of TinyCerb's.
    """
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    match error:
        case TinyCerbError():
            return error
        case KeyboardInterrupt():
            return Interrupted("interrupted")
        case ImportError():
            return _missing_module(error, traceback)
        case _ if _is_out_of_memory(error):
            return EnvironmentProblem(
                f"memory ran out ({told}); end other programs, do less at a time (--jobs 1), or take smaller data"
            )
        case UnicodeDecodeError():
            return UsageError(
                f"a file that should be text in UTF-8 is not: byte {error.object[error.start]:#04x} at {error.start}, "
                f"{error.reason}; save it as UTF-8 ({traceback})"
            )
        case UnicodeEncodeError():
            return UsageError(
                f"the name {error.object[:80]!r} is no text: {error.reason}; give files and names that can be written "
                f"as UTF-8 ({traceback})"
            )
        case EOFError():
            return UsageError(f"a file ends too early ({told}); {traceback}")
        case RecursionError():
            return UsageError(f"something that was given is nested too deeply ({told}); {traceback}")
        case OSError(errno=errno.ENAMETOOLONG):
            name = str(error.filename)
            return UsageError(f"no file can have a name of {len(name)} characters: {name[:60]}...")
        case OSError():
            where = f"{error.filename}: " if error.filename is not None else ""
            return EnvironmentProblem(f"{where}{error.strerror or told} ({traceback})")
    if fault := blame(error):
        return UsageError(f"{fault}; {traceback}")
    return InternalError(f"internal error, a fault of TinyCerb's: {told}; {traceback}")


def _is_out_of_memory(error: BaseException) -> bool:
    """As Python, the system, TensorFlow, its oneDNN and Dask say it; none of them is imported for it."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if type(error).__name__ == "AbortedError":
        return _ONEDNN_OUT_OF_MEMORY in str(error)
    return isinstance(error, MemoryError) or type(error).__name__ in ("ResourceExhaustedError", "KilledWorker")


def _missing_module(error: ImportError, traceback: str) -> TinyCerbError:
    # Only a command that cannot go on pays for it.
    from tinycerb.advice.install import distribution_of, install_command

    name = (error.name or "").partition(".")[0]
    if name == "tinycerb":
        return InternalError(f"internal error, a fault of TinyCerb's: {error}; {traceback}")
    package = distribution_of(name)
    if isinstance(error, ModuleNotFoundError) and package is not None:
        return EnvironmentProblem(
            f"the Python package {package} is not installed; install it with: {install_command(package)}"
        )
    return EnvironmentProblem(f"a Python package is missing or damaged ({error}); look with: tinycerb doctor")
