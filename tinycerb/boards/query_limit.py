"""How many questions a device answers: a token bucket, `firmware_stub/application/query_limit.c`."""

import re
from dataclasses import dataclass

from tinycerb.boards.board import Board
from tinycerb.errors import UsageError

# Flashing asks the golden images.
_FEWEST = 2


@dataclass(frozen=True)
class QueryLimit:
    """At most `questions` in a row, and as many in any further `seconds`."""

    questions: int
    seconds: int

    def defines(self, board: Board) -> list[str]:
        """Returns the definitions that switch the limit on.

        Raises:
            UsageError: the board's clock is not known.
        """
        if not board.clock_hz:
            raise UsageError(
                f"a limit needs the board's clock; add clock_hz = 64_000_000 (or what it is) to {board.name}"
            )
        period = board.clock_hz * self.seconds // self.questions
        numbers = {"LIMIT": f"{self.questions}u", "PERIOD": f"{max(period, 1)}ull"}
        return [*(f"TC_QUERY_{name}={value}" for name, value in numbers.items()), f"TC_CLOCK_HZ={board.clock_hz}u"]


def parse_query_limit(text: str) -> QueryLimit:
    """Reads `QUESTIONS/SECONDS`.

    Raises:
        UsageError: anything else, or fewer than two questions.
    """
    found = re.fullmatch(r"(\d{1,15})/(\d{1,15})", text)
    questions, seconds = (int(number) for number in found.groups()) if found else (0, 0)
    if questions < _FEWEST or seconds < 1:
        raise UsageError(
            f"the rate limit is {text[:60]!r}; expected QUESTIONS/SECONDS, for example 100/3600 (at least {_FEWEST} "
            "questions: flashing asks the golden images)"
        )
    if questions > 2**31 or seconds > 2**31:
        raise UsageError(f"the rate limit is {text!r}; both numbers are at most 2,147,483,648")
    return QueryLimit(questions, seconds)
