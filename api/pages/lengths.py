"""How long the tests are that a visitor may choose."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from itembank.items import Item
from itembank.positioning import default_length

SHORT, LONG = "short", "long"
LONGEST_SHORT: Final = 32
"""Questions of a short test over many competences: with the tree, enough for a first profile."""


@dataclass(frozen=True)
class Length:
    """A test to choose: its name, and for 1 to C competences its questions and expected minutes, (C,) each."""

    name: str
    questions: tuple[int, ...]
    minutes: tuple[int, ...]


def short_length(competences: int) -> int:
    """Questions of a short test over so many competences: enough to measure most of them.

    >>> [short_length(count) for count in (1, 2, 5, 16)]
    [10, 14, 26, 32]
    """
    return max(competences, min(LONGEST_SHORT, 6 + 4 * competences))


def lengths(competences: int, items: Sequence[Item]) -> tuple[Length, ...]:
    """Return the tests to choose among, for 1 to ``competences``, with the expected time of these items."""
    seconds = sum(item.time for item in items) / len(items)
    counts = range(1, competences + 1)
    rules = ((SHORT, short_length), (LONG, default_length))
    return tuple(
        Length(name, tuple(map(rule, counts)), tuple(minutes(rule(count) * seconds) for count in counts))
        for name, rule in rules
    )


def minutes(seconds: float) -> int:
    """Minutes as one says them: by fives beyond ten.

    >>> minutes(250), minutes(1_750)
    (5, 30)
    """
    exact = seconds / 60
    return math.ceil(exact) if exact <= 10 else 5 * round(exact / 5)
