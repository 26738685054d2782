"""Geometry of the profile's pictures, in SVG units: one chart of everything, and one strip for each competence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LEFT, TOP, COLUMN, GAP, STEP, FOOT = 16.0, 5.0, 19.0, 6.0, 20.0, 21.0
"""Of the chart: margins, width of a competence, gap between domains, height of a level, room for the codes."""

HUES: Final = 5
"""Colours of domains in the style sheet."""

CELL, STRIP_HEIGHT, FULL = 26.0, 34.0, 0.5
"""Of a strip: width of a level, height of the bars, and the probability that fills them."""


@dataclass(frozen=True)
class Box:
    """A rectangle, with the probability that it shows."""

    x: float
    y: float
    width: float
    height: float
    probability: float


@dataclass(frozen=True)
class Bar:
    """A competence in the chart: one box for each level from 0 to L, and where its disc stands."""

    code: str
    hue: int
    state: str
    level: int | None
    centre: float
    disc: float
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Group:
    """A domain in the chart."""

    x: float
    width: float


@dataclass(frozen=True)
class Chart:
    """The chart of a profile."""

    width: float
    height: float
    lines: tuple[tuple[int, float], ...]
    """Each level with the height of its middle."""
    bands: tuple[float, ...]
    """Heights at which the bands of levels begin."""
    groups: tuple[Group, ...]
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Column:
    """A competence to draw: probabilities of levels 0 to L, none when it is unknown."""

    code: str
    state: str
    level: int | None
    probabilities: Sequence[float]


def chart(domains: Sequence[Sequence[Column]], levels: int, bands: Sequence[int]) -> Chart:
    """Lay out a chart.

    Parameters
    ----------
    domains : sequence of sequences of Column
    levels : int
        L.
    bands : sequence of int
        First level of each band.
    """
    ground = TOP + STEP * (levels + 1)
    groups, bars, x = [], [], LEFT
    for place, columns in enumerate(domains):
        groups.append(Group(x, COLUMN * len(columns)))
        for column in columns:
            boxes = tuple(
                Box(x + 2, _top(ground, height) + 1, COLUMN - 4, STEP - 2, probability)
                for height, probability in enumerate(column.probabilities)
            )
            disc = _top(ground, column.level or 0) + STEP / 2
            bars.append(Bar(column.code, place % HUES + 1, column.state, column.level, x + COLUMN / 2, disc, boxes))
            x += COLUMN
        x += GAP
    lines = tuple((number, _top(ground, number) + STEP / 2) for number in range(levels + 1))
    begins = tuple(_top(ground, level) + STEP for level in bands)
    return Chart(x - GAP + 4, ground + FOOT, lines, begins, tuple(groups), tuple(bars))


def strip(probabilities: Sequence[float]) -> tuple[Box, ...]:
    """Bars of one competence, levels 0 to L from left to right, as high as they are likely.

    >>> [round(box.height, 1) for box in strip([0.7, 0.3])]
    [34.0, 20.4]
    """
    return tuple(
        Box(CELL * place + 3, STRIP_HEIGHT - height, CELL - 6, height, probability)
        for place, probability in enumerate(probabilities)
        for height in [STRIP_HEIGHT * min(1.0, max(0.02, probability / FULL))]
    )


def _top(ground: float, level: int) -> float:
    return ground - STEP * (level + 1)
