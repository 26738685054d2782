"""Codes of what happened to an asked item.

A response is a category index (0, 1, ...) that marking gave to an answer, or one of three negative codes. The codes
count back from the end of the response axis of :attr:`engine.table.Table.log_evidence`, so that one index finds the
evidence of any of them.
"""

from typing import Final, Literal, get_args

from engine.errors import DesignError

SKIPPED: Final = -3
"""The learner pressed "passer"."""
TIMED_OUT: Final = -2
"""The item's own time limit ran out."""
NOT_REACHED: Final = -1
"""The item was shown, and the test ended before anything was said about it: never evidence."""
SILENCES: Final = 3
"""How many of these codes there are: -1 down to -SILENCES."""
NONE: Final = -1
"""No item."""

SkipPolicy = Literal["unknown", "incorrect", "ignored"]
"""What a skip or a time-out says: "I do not know" (no lucky guess possible), a wrong answer, or nothing."""


def skip_policy(name: str) -> SkipPolicy:
    """Policy of a name.

    Raises
    ------
    DesignError
        When no policy has that name.
    """
    for policy in get_args(SkipPolicy):
        if policy == name:
            found: SkipPolicy = policy
            return found
    raise DesignError(f"There is no policy {name!r} for skips; use {', '.join(get_args(SkipPolicy))}.")
