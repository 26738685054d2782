"""A learner on the list of an organisation, as a frozen record."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Registration:
    """What one organisation wrote of a learner; the account itself holds no personal data."""

    id: str
    organisation_id: str
    learner_id: str
    """Of the account, which is for life."""
    last_name: str
    first_name: str
    birth_date: str
    """YYYY-MM-DD."""
    active: bool
    created_at: datetime
    changed_at: datetime
    ine: str | None = None
    external_id: str | None = None
    """Of the organisation, where there is no INE."""
    usual_name: str | None = None
    second_name: str | None = None
    third_name: str | None = None
    sex: str | None = None
    """F or M."""
    birth_city_code: str | None = None
    birth_city: str | None = None
    birth_department: str | None = None
    birth_country: str | None = None
    status: str | None = None
    """ST, a student; AP, an apprentice."""
    mef: str | None = None
    division: str | None = None
    """The class."""
    deactivated_at: datetime | None = None


@dataclass(frozen=True)
class Identity:
    """Which account an INE belongs to, inside one platform."""

    client_id: str
    ine: str
    learner_id: str
    birth_date: str
    created_at: datetime
