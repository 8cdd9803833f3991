"""The console of every command: what is printed is text, and brackets in somebody's names are no markup."""

from rich.console import Console


def plain_console(stderr: bool = False) -> Console:
    """Returns a console for standard output, or standard error."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)
