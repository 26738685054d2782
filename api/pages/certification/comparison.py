"""Geometry of the jury's picture: the level of the profile beside the one that the answers certify."""

from dataclasses import dataclass
from typing import Final

STEP, LEFT = 16.0, 9.0
LEVELS: Final = 8


@dataclass(frozen=True)
class Comparison:
    """Places of two levels on a line from 0 to 8."""

    width: float
    ticks: tuple[float, ...]
    profile: float
    certified: float


def comparison(profile: int, certified: int) -> Comparison:
    """Lay out two levels.

    >>> drawn = comparison(5, 3)
    >>> drawn.profile - drawn.certified
    32.0
    """
    ticks = tuple(LEFT + STEP * level for level in range(LEVELS + 1))
    return Comparison(2 * LEFT + STEP * LEVELS, ticks, ticks[profile], ticks[certified])
