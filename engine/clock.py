"""The clock of a certification test: time runs from the start, except while the invigilator has it stopped.

Nothing here reads a clock: moments are arguments. They are compared and subtracted in UTC, to the microsecond, whatever
time zone they are written in: two moments of one zone that Python would subtract as wall clocks do not gain or lose an
hour in the night in which the clocks change.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from engine.errors import SettingError


class Standstill(NamedTuple):
    """A time during which the clock of a run stands, from ``begin`` on and until ``end``; one without end still does.

    One that ends before it begins stands for no time at all: two servers may disagree by some milliseconds.
    """

    begin: datetime
    end: datetime | None = None


def used(started: datetime, standstills: Sequence[Standstill], at: datetime) -> timedelta:
    """Time that ran between the start and a moment, without the standstills, in whatever order and overlap they come.

    Parameters
    ----------
    started, at : datetime
        With their time zones. Nothing is used before the start.
    standstills : sequence of Standstill

    Returns
    -------
    timedelta

    Raises
    ------
    SettingError
        When a moment has no time zone.

    Examples
    --------
    >>> at = [datetime(2026, 1, 31, 14, minute, tzinfo=UTC) for minute in (0, 20, 30, 50)]
    >>> print(used(at[0], [Standstill(at[1], at[2])], at[3]))
    0:40:00
    """
    first, last = _utc(started), _utc(at)
    if last <= first:
        return timedelta()
    stood = timedelta()
    for begin, end in _union(standstills):
        here = min(last, end or last) - max(first, begin)
        stood += max(here, timedelta())
    return last - first - stood


def deadline(started: datetime, limit: timedelta, standstills: Sequence[Standstill]) -> datetime | None:
    """First moment at which the time used is the limit; None while the clock stands before it.

    For every moment ``at``, ``used(started, standstills, at) >= limit`` exactly when ``at`` is not before the deadline
    (and there is one).

    Parameters
    ----------
    started : datetime
    limit : timedelta
        Not negative.
    standstills : sequence of Standstill

    Returns
    -------
    datetime or None
        In UTC.

    Raises
    ------
    SettingError
        When a moment has no time zone.

    Examples
    --------
    >>> at = [datetime(2026, 1, 31, 14, minute, tzinfo=UTC) for minute in (0, 20, 30)]
    >>> print(deadline(at[0], timedelta(minutes=40), [Standstill(at[1], at[2])]))
    2026-01-31 14:50:00+00:00
    >>> deadline(at[0], timedelta(minutes=40), [Standstill(at[1])]) is None
    True
    """
    moment, left = _utc(started), limit
    for begin, end in _union(standstills):
        runs = max(begin - moment, timedelta())
        if runs >= left:
            break
        left -= runs
        if end is None:
            return None
        moment = max(moment, end)
    return moment + left


def between(earlier: datetime, later: datetime, standstills: Sequence[Standstill]) -> timedelta:
    """Time that ran between two moments, e.g. from the question to its answer: :func:`used` by another name.

    Parameters
    ----------
    earlier, later : datetime
    standstills : sequence of Standstill

    Returns
    -------
    timedelta
        Nothing when the second moment is not after the first.

    Raises
    ------
    SettingError
        When a moment has no time zone.
    """
    return used(earlier, standstills, later)


def _union(standstills: Sequence[Standstill]) -> list[tuple[datetime, datetime | None]]:
    """Merge the standstills, in UTC, into an order without overlap; only the last may have no end."""
    moments = [(_utc(begin), None if end is None else _utc(end)) for begin, end in standstills]
    merged: list[tuple[datetime, datetime | None]] = []
    for begin, end in sorted(moments, key=lambda pair: pair[0]):
        if end is not None and end <= begin:
            continue
        if not merged:
            merged.append((begin, end))
            continue
        before, until = merged[-1]
        if until is None:
            break
        if begin > until:
            merged.append((begin, end))
        else:
            merged[-1] = (before, None if end is None else max(until, end))
    return merged


def _utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise SettingError(f"The moment {moment.isoformat()} has no time zone; give it one, such as UTC.")
    return moment.astimezone(UTC)
