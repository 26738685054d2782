"""The server's clock: the only place of the API that asks what time it is.

It is read once from the host and runs on from there by the counter that nobody sets, so that a host whose clock is
changed gives no candidate a second and takes none. Services ask ``context.clock()``, which a test may replace.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

Clock = Callable[[], datetime]
"""Gives the present time, in UTC."""

_COUNTER: Final = getattr(time, "CLOCK_BOOTTIME", None)
"""Goes on while the machine sleeps; only Linux has it."""


class SteadyClock:
    """The host's time at the moment of creation, and what a counter says has passed since then."""

    def __init__(self) -> None:
        self._began = datetime.now(UTC)
        self._counted = _nanoseconds()

    def __call__(self) -> datetime:
        """Return the present time in UTC."""
        return self._began + timedelta(microseconds=(_nanoseconds() - self._counted) // 1_000)


def now() -> datetime:
    """Return the host's time in UTC, for commands and for what a server does before it serves."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """Write a moment in ISO 8601, in UTC with microseconds.

    >>> iso(datetime(2026, 9, 1, 8, 30, tzinfo=UTC))
    '2026-09-01T08:30:00.000000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _nanoseconds() -> int:
    return time.monotonic_ns() if _COUNTER is None else time.clock_gettime_ns(_COUNTER)
