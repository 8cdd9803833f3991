"""How many questions a device answers: a token bucket, `firmware_stub/application/query_limit.c`."""

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
    questions, _, seconds = text.partition("/")
    if not (questions.isdecimal() and seconds.isdecimal() and int(questions) >= _FEWEST and int(seconds) >= 1):
        raise UsageError(
            f"the rate limit is {text!r}; expected QUESTIONS/SECONDS, for example 100/3600 (at least {_FEWEST} "
            "questions: flashing asks the golden images)"
        )
    if int(questions) > 2**31 or int(seconds) > 2**31:
        raise UsageError(f"the rate limit is {text!r}; both numbers are at most 2,147,483,648")
    return QueryLimit(int(questions), int(seconds))
