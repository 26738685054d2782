"""Bodies about sittings."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.certification.texts import READABLE
from api.runs.schemas import Flag, ItemView, Pending, Position, Progress

Words = Annotated[
    str, Field(min_length=1, max_length=1_000, pattern=READABLE, description="Why, in words; kept with the facts.")
]
Name = Annotated[str, Field(min_length=1, max_length=255)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class EntryRequest(_Request):
    """Who comes in, and to which session."""

    code: str = Field(min_length=1, max_length=64, description="Of the session; case, spaces and dashes are ignored.")
    first_name: Name
    last_name: Name
    birth_date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="YYYY-MM-DD.")


class EntryView(BaseModel):
    """A device that waits for the invigilator."""

    candidate_id: str
    token: str = Field(description="The token of this device.")
    device: str = Field(description="A few letters by which the invigilator knows the device.")


class ReportRequest(_Request):
    """A problem with the pending item."""

    position: Position
    item: str = Field(min_length=1, max_length=255)
    why: Words


class EndRequest(_Request):
    """The candidate ends the test."""

    confirm: Literal[True] = Field(description="The candidate was asked, and wishes it.")


class AuthoriseRequest(_Request):
    """The device that the invigilator has seen."""

    device: str | None = Field(
        None, max_length=16, description="Its name; refused when another device waits by now. Any when left out."
    )


class PauseRequest(_Request):
    """Why a test is paused, or goes on."""

    why: Words | None = None


class DecisionRequest(_Request):
    """Why a reported problem is accepted, or dismissed."""

    why: Words


class EndTestRequest(_Request):
    """Why the invigilator ends a test."""

    end: Literal["technical", "invigilator"] = Field(
        description="technical: nobody's fault, and too few answers cancel the test; invigilator: a decision, reviewed."
    )
    why: Words


class ClockView(BaseModel):
    """The clock of a test, by the server's."""

    at: str = Field(description="The present.")
    started_at: str | None
    limit: float = Field(description="Seconds of the test, extra time included.")
    used: float = Field(description="Seconds.")
    remaining: float = Field(description="Seconds.")
    deadline: str | None = Field(description="When the time is up; null before the start and while the clock stands.")
    stands: bool


class SittingCandidate(BaseModel):
    """Who sits."""

    id: str
    first_name: str
    last_name: str
    locale: str


class SittingSession(BaseModel):
    """Where they sit."""

    id: str
    state: str
    date: str
    time: str
    zone: str
    place: str
    room: str


class SittingView(BaseModel):
    """Where a candidate's test stands, as the device that asks may see it."""

    candidate: SittingCandidate
    session: SittingSession
    phase: str
    to_do: Literal["wait", "start", "return", "answer", "paused", "reported", "over"]
    device: str = Field(description="Name of this device.")
    in_use: bool = Field(description="Whether the test is taken on this device.")
    clock: ClockView
    pending: Pending | None = Field(description="While the clock runs, on the device in use.")
    progress: Progress | None
    end: str | None = Field(description="Why the test ended: completed, time, candidate, technical, invigilator.")
    access_code: str | None = Field(description="At the end: with it the holder finds the certificate later.")


class RoomSession(BaseModel):
    """A session as its room shows it."""

    id: str
    state: str
    access_code: str


class RoomReport(BaseModel):
    """A reported problem that waits for the invigilator."""

    position: int
    item: ItemView
    why: str


class RoomCandidate(BaseModel):
    """A candidate as the invigilator sees them."""

    id: str
    first_name: str
    last_name: str
    birth_date: str
    extra_time: float
    accessible: list[Flag]
    equipment: str
    phase: str
    device: str | None = Field(description="Device on which the test is taken.")
    waiting: str | None = Field(description="Device that asks to start or to go on.")
    authorised: str | None = Field(description="Device that may do so now.")
    authorised_until: str | None
    clock: ClockView
    progress: Progress | None
    report: RoomReport | None
    end: str | None
    end_why: str | None
    ended_at: str | None


class RoomView(BaseModel):
    """Everybody in the room."""

    session: RoomSession
    at: str
    candidates: list[RoomCandidate]
