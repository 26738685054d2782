"""Bodies about the candidates of a session, and about who may be one."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from api.certification.sessions.schemas import Day
from api.certification.texts import Id, Line, Moment, Note
from api.runs.schemas import Flag
from itembank.items import FLAGS

MOST_EXTRA_TIME = 200.0

ExtraTime = Annotated[
    float, Field(ge=0, le=MOST_EXTRA_TIME, allow_inf_nan=False, description="Per cent of the time of the test.")
]
Flags = Annotated[list[Flag], Field(max_length=len(FLAGS), description="Ask only items that suit all of these.")]
Locale = Annotated[str, Field(pattern=r"^[a-z]{2}$", description="Language of the items.")]
Code = Annotated[str, Field(min_length=1, max_length=32, description="Access code of a positioning of the learner's.")]

_ONE_LEARNER: list[JsonValue] = [
    {"required": ["learner_id"], "properties": {"learner_id": {"not": {"type": "null"}}}},
    {"required": ["code"], "properties": {"code": {"not": {"type": "null"}}}},
]


class CandidateRequest(BaseModel):
    """A learner to enrol, named by their id or by the access code of a positioning."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"anyOf": _ONE_LEARNER})

    learner_id: Id | None = Field(None, description="A learner of the platform that owns the organisation.")
    code: Code | None = None
    first_name: Line
    last_name: Line
    birth_date: Day
    extra_time: ExtraTime = 0.0
    accessible: Flags = Field(default_factory=list)
    equipment: Note = Field("", description="Provided by the organisation, or brought.")
    locale: Locale = "fr"


class CandidateChange(BaseModel):
    """What changes of a candidate whose test has not begun."""

    model_config = ConfigDict(extra="forbid", strict=True)

    first_name: Line | None = None
    last_name: Line | None = None
    birth_date: Day | None = None
    extra_time: ExtraTime | None = None
    accessible: Flags | None = None
    equipment: Note | None = None
    locale: Locale | None = None

    def given(self) -> dict[str, object]:
        """Return what is to change."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


class CandidateView(BaseModel):
    """A candidate."""

    id: str
    session_id: str
    learner_id: str
    first_name: str
    last_name: str
    birth_date: str
    extra_time: float
    accessible: list[Flag]
    equipment: str
    locale: str
    minutes: float = Field(description="Time of the test, extra time included.")
    state: Literal["enrolled", "running", "paused", "frozen", "ended", "decided", "published", "removed", "absent"]
    version: int = Field(description="Number of their facts.")
    run_id: str | None = Field(description="Of the test, once it has begun.")
    created_at: Moment


class CandidatePage(BaseModel):
    """Some candidates, by name, and where the list goes on."""

    items: list[CandidateView]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class ImportView(BaseModel):
    """Who was enrolled from a file, in its order."""

    enrolled: list[CandidateView]


class RowError(BaseModel):
    """Something that is wrong in a file."""

    line: int = Field(description="Of the file; the header is line 1.")
    column: str | None = Field(description="As the file names it; null for the whole line.")
    code: str = Field(description="Such as FIELD_REQUIRED.")
    sentence: str


class EligibilityView(BaseModel):
    """Whether a learner may sit the test, and about what it would be."""

    learner_id: str
    eligible: bool
    words: dict[str, str] = Field(description="Why, in words, by language; names the competences that are missing.")
    run_id: str | None = Field(description="The positioning that told the profile.")
    finished_at: str | None
    lacks_positioned: int = Field(description="Competences still to be measured.")
    lacks_reached: int = Field(description="Competences in which the level is still to be reached.")
    certifiable: list[str] = Field(description="Codes of the competences that the test would be about.")
    measured: list[str] = Field(description="Codes measured since the school year began.")
    unmeasured: list[str] = Field(description="Codes not measured since then.")
    below: list[str] = Field(description="Codes measured, below the level that counts.")
