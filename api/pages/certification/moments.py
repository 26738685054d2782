"""Moments as the clocks of a place show them."""

from datetime import datetime
from zoneinfo import ZoneInfo


def local(moment: datetime, zone: str) -> datetime:
    """Moment as the clocks of a place show it.

    >>> from datetime import UTC
    >>> local(datetime(2027, 1, 11, 8, tzinfo=UTC), "Europe/Paris").hour
    9
    """
    return moment.astimezone(ZoneInfo(zone))
