"""Geometry of the pictures of a group, in SVG units: stacked bars of levels, and dots with their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

WIDTH: Final = 360.0
"""Of the part that is to scale."""
BAR: Final = 22.0
"""Height of a bar of levels, or of a line of dots."""
LEGIBLE: Final = 17.0
"""Width from which a part of a bar may hold a number of two figures."""


@dataclass(frozen=True)
class Part:
    """Learners of one level in a bar: where it begins, how wide it is, and how many they are."""

    level: int
    x: float
    width: float
    learners: float

    @property
    def legible(self) -> bool:
        """Whether a number fits in."""
        return self.width >= LEGIBLE


@dataclass(frozen=True)
class LevelBar:
    """Levels of a group in one competence, lowest first, and where those below the target end."""

    parts: tuple[Part, ...]
    target: float | None


@dataclass(frozen=True)
class Dot:
    """An estimate between the ends of its interval; ``hollow`` is what the data alone would say."""

    low: float
    at: float
    high: float
    hollow: float | None = None


@dataclass(frozen=True)
class Scale:
    """A horizontal axis with the marks that a reader knows."""

    least: float
    most: float
    ticks: tuple[tuple[str, float], ...]
    """What is written, and where."""

    def place(self, value: float) -> float:
        """Where a value stands; beyond the axis, at its end.

        >>> Scale(0.0, 1.0, ()).place(0.25), Scale(0.0, 1.0, ()).place(7.0)
        (90.0, 360.0)
        """
        share = (value - self.least) / (self.most - self.least)
        return WIDTH * min(1.0, max(0.0, share))

    def dot(self, low: float, at: float, high: float, hollow: float | None = None) -> Dot:
        """Place an estimate and its interval."""
        return Dot(self.place(low), self.place(at), self.place(high), None if hollow is None else self.place(hollow))


def level_bar(learners: Sequence[float], target: int | None = None) -> LevelBar:
    """Lay out how many learners are at each level, 0 to L.

    Parameters
    ----------
    learners : (L + 1,) sequence of float
        Expected numbers, not all zero.
    target : int, optional
        Level aimed at.

    Returns
    -------
    LevelBar
        Levels without anybody to speak of (less than 1 in 200) have no part.

    Examples
    --------
    >>> bar = level_bar([2.0, 1.0, 1.0], target=2)
    >>> [(part.level, part.width) for part in bar.parts], bar.target
    ([(0, 180.0), (1, 90.0), (2, 90.0)], 270.0)
    """
    total = sum(learners)
    ends = [WIDTH * count / total for count in accumulate(learners)]
    begins = [0.0, *ends[:-1]]
    parts = tuple(
        Part(level, begin, end - begin, count)
        for level, (begin, end, count) in enumerate(zip(begins, ends, learners, strict=True))
        if count >= 0.005 * total
    )
    return LevelBar(parts, None if target is None else begins[target])


def share_scale() -> Scale:
    """Axis of shares, from none to all."""
    return Scale(0.0, 1.0, tuple((f"{share} %", WIDTH * share / 100) for share in (0, 25, 50, 75, 100)))


def level_scale(cuts: Sequence[float], margin: float = 0.6) -> Scale:
    """Axis of ability on which the beginning of each level is marked.

    Parameters
    ----------
    cuts : (L,) sequence of float
        Ability at which each level begins, increasing.
    margin : float
        Ability before the first cut and beyond the last.
    """
    scale = Scale(cuts[0] - margin, cuts[-1] + margin, ())
    return Scale(scale.least, scale.most, tuple((str(level), scale.place(cut)) for level, cut in enumerate(cuts, 1)))
