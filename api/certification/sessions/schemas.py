"""Bodies about sessions."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.certification.texts import Id, Line, Moment, Reason

PEOPLE = 100
"""Invigilators of a session, at most."""


def _real(day: str) -> str:
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        raise ValueError(f"there is no day {day}, write a date as 2027-01-31") from None


Day = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"}, examples=["2027-01-11"]),
    AfterValidator(_real),
]
"""YYYY-MM-DD."""

Hour = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="HH:MM, of the place.")]
Zone = Annotated[str, Field(min_length=1, max_length=64, description="Name in the IANA time zone database.")]
Window = Annotated[str, Field(min_length=1, max_length=64)]
Invigilators = Annotated[list[Id], Field(max_length=PEOPLE, description="Ids of members of the organisation.")]


class SessionRequest(BaseModel):
    """A session to plan."""

    model_config = ConfigDict(extra="forbid", strict=True)

    date: Day = Field(description="Of the place; it lies in the window.")
    time: Hour
    zone: Zone = "Europe/Paris"
    place: Line
    room: Line
    window: Window | None = Field(
        None, description="Name of a window of the certification design; the first that holds the date if left out."
    )
    invigilators: Invigilators = Field(default_factory=list)


class SessionChange(BaseModel):
    """What changes of a session: of an open one, only the room and the invigilators may."""

    model_config = ConfigDict(extra="forbid", strict=True)

    date: Day | None = None
    time: Hour | None = None
    zone: Zone | None = None
    place: Line | None = None
    room: Line | None = None
    window: Window | None = None
    invigilators: Invigilators | None = None

    def given(self) -> dict[str, object]:
        """Return what is to change."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


class Why(BaseModel):
    """Why something is done."""

    model_config = ConfigDict(extra="forbid", strict=True)

    why: Reason


class Rules(BaseModel):
    """The certification design that a session pins."""

    name: str
    version: int
    hash: str
    minutes: float = Field(description="Of the test, before any extra time.")


class SessionView(BaseModel):
    """A session."""

    id: str
    organisation_id: str
    state: Literal["draft", "open", "finalised", "published", "cancelled"]
    version: int = Field(description="Number of its facts.")
    date: str
    time: str
    zone: str
    starts_at: Moment
    place: str
    room: str
    window: str
    access_code: str = Field(description="What candidates type to come in.")
    invigilators: list[str] = Field(description="Ids of members.")
    candidates: int = Field(description="How many are enrolled.")
    rules: Rules
    created_at: Moment


class SessionPage(BaseModel):
    """Some sessions, and where the list goes on."""

    items: list[SessionView]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class FeasibilityFinding(BaseModel):
    """A constraint of the test that the bank cannot, or can hardly, satisfy for some of the candidates."""

    severity: Literal["error", "warning"]
    where: str
    sentence: str
    locale: str
    accessible: list[str]
    extra_time: float = Field(description="Per cent.")
    candidates: list[str] = Field(description="Ids of the candidates concerned.")


class FeasibilityView(BaseModel):
    """Whether the bank can serve the test to everybody enrolled."""

    feasible: bool
    findings: list[FeasibilityFinding]


class IncidentRequest(BaseModel):
    """Something that happened in the room."""

    model_config = ConfigDict(extra="forbid", strict=True)

    why: Reason = Field(description="What happened.")
    candidate_id: Id | None = Field(None, description="The candidate concerned; the whole room when left out.")


class IncidentView(BaseModel):
    """An incident as it was noted."""

    at: Moment
    who: str = Field(description="member:ID or platform:CLIENT_ID.")
    why: str
    candidate_id: str | None


class IncidentPage(BaseModel):
    """Every incident of a session, in order."""

    items: list[IncidentView]
