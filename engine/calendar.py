"""Days of the year: when sessions may be held, and when the school year begins."""

from dataclasses import dataclass
from datetime import date

from engine.errors import DesignError


@dataclass(frozen=True)
class Window:
    """Days of the year on which sessions may be held, both ends included; it may run over New Year.

    Parameters
    ----------
    name : str
        For whom.
    first, last : str
        ``"MM-DD"``.

    Examples
    --------
    >>> winter = Window("final-year classes", "11-29", "03-04")
    >>> winter.holds(date(2027, 1, 10)), winter.holds(date(2026, 11, 28))
    (True, False)
    """

    name: str
    first: str
    last: str

    def __post_init__(self) -> None:
        """Refuse days that do not exist every year, and a window without a name."""
        day_of_year(self.first)
        day_of_year(self.last)
        if not self.name.strip():
            raise DesignError("A window of sessions needs a name; write for whom it is.")

    def holds(self, day: date) -> bool:
        """Whether a day lies in the window."""
        here = day.strftime("%m-%d")
        if self.first <= self.last:
            return self.first <= here <= self.last
        return here >= self.first or here <= self.last


def year_began(first: str, day: date) -> date:
    """First day of the year in which a day lies, when years begin on ``first``.

    Examples
    --------
    >>> print(year_began("09-01", date(2027, 1, 10)), year_began("09-01", date(2027, 9, 1)))
    2026-09-01 2027-09-01
    """
    month, number = day_of_year(first)
    began = date(day.year, month, number)
    return began if began <= day else began.replace(year=day.year - 1)


def day_of_year(text: str) -> tuple[int, int]:
    """Month and day of ``"MM-DD"``.

    Raises
    ------
    DesignError
        When it is not a day that every year has.
    """
    try:
        day = date.fromisoformat(f"2001-{text}")
    except ValueError:
        day = None
    if day is None or day.strftime("%m-%d") != text:
        raise DesignError(f"{text!r} is not a day of every year; write month and day, e.g. '09-01'.")
    return day.month, day.day
