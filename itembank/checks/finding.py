"""A finding, and what a bank is expected to have."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error must be corrected before the bank is served; a warning deserves a look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: how bad, where, and a sentence that says what to do.

    Examples
    --------
    >>> print(Finding(Severity.ERROR, "crcn-1.1-01", "The item has no parameters; calibrate it."))
    error: crcn-1.1-01: The item has no parameters; calibrate it.
    """

    severity: Severity
    where: str
    sentence: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.severity}: {self.where}: {self.sentence}"


@dataclass(frozen=True)
class Expectations:
    """What is enough.

    Parameters
    ----------
    items : int
        Served items of a competence.
    topics : int
        Topics of a competence that have served items.
    items_of_topic : int
        Served items of a topic.
    accessible : int
        Served items of a competence that suit each accessibility flag.
    reach : float
        How far from a cut an item may be and still tell the two levels apart.
    near : float
        How far from the cut of a level that a course aims at an item may be and still be about that level.
    drift : float
        How far outside the band of its level the difficulty of an item may lie.
    discrimination : float
        Below it an item says next to nothing.
    guessing : float
        Above it an item says next to nothing either.
    pace : float
        Factor between the median time of the parameters and the expected time of the item.
    """

    items: int = 20
    topics: int = 4
    items_of_topic: int = 2
    accessible: int = 8
    reach: float = 0.5
    near: float = 1.0
    drift: float = 1.2
    discrimination: float = 0.3
    guessing: float = 0.5
    pace: float = 3.0
