"""What campaigns store, as frozen records, and where a campaign stands at a moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo


class CampaignKind(StrEnum):
    """What a campaign asks of learners."""

    ASSESSMENT = "assessment"
    """A test of chosen competences, which counts in the profile."""
    COLLECTION = "collection"
    """The profile that they have."""
    EXAM = "exam"
    """A test that neither reads the profile nor changes it."""


class CampaignPhase(StrEnum):
    """Where a campaign stands."""

    PLANNED = "planned"
    OPEN = "open"
    CLOSED = "closed"
    """Nobody begins; who has begun may finish and send."""
    ARCHIVED = "archived"
    """Frozen: what was sent stays."""


class ParticipationState(StrEnum):
    """How far a learner is in a campaign."""

    ENTERED = "entered"
    STARTED = "started"
    FINISHED = "finished"
    SENT = "sent"


@dataclass(frozen=True)
class Campaign:
    """A test that an organisation gives to learners."""

    id: str
    organisation_id: str
    kind: str
    title: str
    text: str
    """For the learners."""
    course: str | None
    """Name of the ready-made course that it comes from."""
    competences: tuple[str, ...]
    targets: Mapping[str, int]
    """Level aimed at, by code of competence."""
    length: int | None
    skip: str
    """What a skip says: unknown, incorrect or ignored."""
    locale: str
    opens_at: datetime
    closes_at: datetime | None
    archives_at: datetime
    archived_at: datetime | None
    several: bool
    """Whether a learner may try again."""
    external_id_label: str | None
    """What learners are asked for besides; nothing when None."""
    restricted: bool
    """To the learners on the list of the organisation."""
    access_code: str
    created_by: str
    created_at: datetime

    def phase(self, at: datetime) -> CampaignPhase:
        """Tell where the campaign stands at a moment."""
        if self.archived_at is not None or at >= self.archives_at:
            return CampaignPhase.ARCHIVED
        if at < self.opens_at:
            return CampaignPhase.PLANNED
        over = self.closes_at is not None and at >= self.closes_at
        return CampaignPhase.CLOSED if over else CampaignPhase.OPEN


@dataclass(frozen=True)
class Participation:
    """A learner in a campaign: one attempt."""

    id: str
    campaign_id: str
    learner_id: str
    registration_id: str | None
    attempt: int
    first_name: str
    last_name: str
    division: str | None
    """Of the day they entered."""
    external_id: str | None
    run_id: str | None
    created_at: datetime
    sent_at: datetime | None = None
    snapshot: dict[str, Any] | None = None
    """What was sent, as it was then."""
    finished_at: datetime | None = None
    """When its run ended."""

    @property
    def state(self) -> ParticipationState:
        """Tell how far the learner is."""
        if self.sent_at is not None:
            return ParticipationState.SENT
        if self.finished_at is not None:
            return ParticipationState.FINISHED
        return ParticipationState.ENTERED if self.run_id is None else ParticipationState.STARTED


def archive_moment(opens_at: datetime, archive_day: str, zone: str) -> datetime:
    """Moment at which a campaign is archived: the end of the first such day that it does not open after.

    Examples
    --------
    >>> from datetime import UTC
    >>> str(archive_moment(datetime(2026, 9, 15, tzinfo=UTC), "08-31", "Europe/Paris"))
    '2027-09-01 00:00:00+02:00'
    """
    place, (month, day) = ZoneInfo(zone), (int(part) for part in archive_day.split("-"))
    opens = opens_at.astimezone(place)
    last = date(opens.year, month, day)
    if opens.date() > last:
        last = date(opens.year + 1, month, day)
    return datetime.combine(last + timedelta(days=1), time(), place)
