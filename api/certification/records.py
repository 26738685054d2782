"""What certification stores, as frozen records."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True)
class Session:
    """A date, a room, candidates."""

    id: str
    organisation_id: str
    rules_hash: str
    date: str
    """YYYY-MM-DD, of the place."""
    time: str
    """HH:MM, of the place."""
    zone: str
    """Such as Europe/Paris."""
    place: str
    room: str
    window: str
    """Name of a window of the certification design."""
    access_code: str
    state: str
    version: int
    created_at: datetime


@dataclass(frozen=True)
class Candidate:
    """A learner enrolled in a session."""

    id: str
    session_id: str
    learner_id: str
    first_name: str
    last_name: str
    birth_date: str
    """YYYY-MM-DD."""
    extra_time: float
    """Per cent."""
    accessible: tuple[str, ...]
    equipment: str
    locale: str
    run_id: str | None
    profile: dict[str, Any] | None
    """Pinned at the start: run_id, earlier, levels, certifiable."""
    device_hash: str | None
    waiting_hash: str | None
    state: str
    version: int
    created_at: datetime

    def limit(self, minutes: float) -> timedelta:
        """Time of the test, with the extra time."""
        return timedelta(minutes=minutes * (1.0 + self.extra_time / 100.0))


@dataclass(frozen=True)
class Scoring:
    """What the answers of a candidate certify under one calibration; a version that is never changed."""

    candidate_id: str
    version: int
    run_id: str
    snapshot_hash: str
    rules_hash: str
    at: datetime
    who: str
    why: str | None
    end: str
    copied: dict[str, Any] | None
    """``p, with, shared, alike``: the most suspicious pair with another candidate of the session; None without any."""
    outcome: str
    result: dict[str, Any]


@dataclass(frozen=True)
class Certificate:
    """What was issued for a scoring that validates."""

    id: str
    candidate_id: str
    scoring_version: int
    code_hash: str
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    revoked_why: str | None = None
    replaced_by: str | None = None
    shows_name: bool = False
    shows_levels: bool = False
