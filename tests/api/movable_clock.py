"""A clock that a test moves."""

from datetime import datetime, timedelta

from api.clock import now


class MovableClock:
    """The host's time, moved by as much as the test says; it stands still when it is ``stopped`` at a moment."""

    def __init__(self, at: datetime | None = None) -> None:
        self.stopped = at
        self.moved = timedelta()

    def __call__(self) -> datetime:
        return (self.stopped or now()) + self.moved

    def move(self, **by: float) -> None:
        """Move on, or back: ``move(minutes=5)``."""
        self.moved += timedelta(**by)
