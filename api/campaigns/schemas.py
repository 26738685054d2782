"""Bodies about campaigns and participations."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from api.certification.texts import Line, Moment
from api.learners.schemas import CompetenceResult
from api.runs.schemas import OpenedRun

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9.]{1,17}$")]
Text = Annotated[
    str, Field(max_length=4_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"), AfterValidator(str.strip)
]
Level = Annotated[int, Field(ge=1, le=99)]
Skip = Literal["unknown", "incorrect", "ignored"]
Kind = Literal["assessment", "collection", "exam"]
Phase = Literal["planned", "open", "closed", "archived"]
State = Literal["entered", "started", "finished", "sent"]
Accessible = Annotated[list[Literal["blind", "colour_blind", "deaf"]], Field(max_length=3)]


class CampaignRequest(BaseModel):
    """A campaign to create; what a course gives may be left out."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = "assessment"
    course: Annotated[str, Field(max_length=64)] | None = Field(None, description="Name of a ready-made course.")
    title: Line | None = None
    text: Text | None = Field(None, description="Told to learners before they begin.")
    competences: Annotated[list[Code], Field(min_length=1, max_length=200)] | None = None
    targets: dict[Code, Level] | None = Field(None, description="Level aimed at, by competence.")
    length: Annotated[int, Field(ge=1, le=500)] | None = Field(None, description="Items; of the design when null.")
    skip: Skip | None = Field(None, description="What a skip says; told to learners.")
    locale: Annotated[str, Field(pattern="^[a-z]{2}$")] = "fr"
    opens_at: AwareDatetime | None = Field(None, description="Now when left out.")
    closes_at: AwareDatetime | None = None
    several: bool = Field(False, description="Whether a learner may try again after having finished.")
    external_id_label: Line | None = Field(None, description="Another identifier that learners are asked for.")
    restricted: bool = Field(True, description="To the learners on the organisation's list.")


class CampaignChange(BaseModel):
    """What of a campaign is to change; once somebody entered, the title, the text and the closing alone."""

    model_config = ConfigDict(extra="forbid")

    title: Line | None = None
    text: Text | None = None
    closes_at: AwareDatetime | None = None
    kind: Kind | None = None
    competences: Annotated[list[Code], Field(min_length=1, max_length=200)] | None = None
    targets: dict[Code, Level] | None = None
    length: Annotated[int, Field(ge=1, le=500)] | None = None
    skip: Skip | None = None
    opens_at: AwareDatetime | None = None
    several: bool | None = None
    external_id_label: Line | None = None
    restricted: bool | None = None


class CampaignView(BaseModel):
    """A campaign."""

    id: str
    organisation_id: str
    kind: Kind
    title: str
    text: str
    course: str | None
    competences: list[str]
    targets: dict[str, int]
    length: int | None
    skip: Skip
    locale: str
    opens_at: Moment
    closes_at: Moment | None
    archives_at: Moment
    archived_at: Moment | None
    several: bool
    external_id_label: str | None
    restricted: bool
    access_code: str = Field(description="To be read out loud: case, spaces and dashes do not matter.")
    link: str
    phase: Phase
    created_at: Moment


class CampaignPage(BaseModel):
    """Some campaigns, and where the list goes on."""

    items: list[CampaignView]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class CourseView(BaseModel):
    """A ready-made course."""

    name: str
    version: int
    education: str
    title: dict[str, str]
    text: dict[str, str]
    competences: list[str]
    targets: dict[str, int]
    length: int
    skip: Skip
    opens: str = Field(description="Suggested first day, YYYY-MM-DD.")
    closes: str = Field(description="Suggested last day, YYYY-MM-DD.")


class CourseList(BaseModel):
    """The courses of the bank."""

    items: list[CourseView]


class DivisionCount(BaseModel):
    """How far the learners of a class are."""

    division: str | None
    registered: int | None
    started: int
    finished: int
    sent: int


class FollowUp(BaseModel):
    """How far the learners are."""

    registered: int | None = Field(description="Active learners of the list, where the campaign is theirs.")
    started: int
    finished: int
    sent: int
    divisions: list[DivisionCount]


class ParticipantView(BaseModel):
    """A learner in the follow-up of a campaign; nothing of their results."""

    id: str | None = Field(description="Of the participation; null of somebody who has not entered.")
    first_name: str
    last_name: str
    division: str | None
    external_id: str | None
    attempt: int
    state: Literal["absent", "entered", "started", "finished", "sent"]
    created_at: Moment | None
    finished_at: Moment | None
    sent_at: Moment | None


class ParticipantPage(BaseModel):
    """Some learners, and where the list goes on."""

    items: list[ParticipantView]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class CampaignDoor(BaseModel):
    """What somebody who has the code of a campaign may know."""

    organisation: str
    kind: Kind
    title: str
    text: str
    skip: Skip
    items: int | None = Field(description="Questions; null of a collection of profiles.")
    opens_at: Moment
    closes_at: Moment | None
    phase: Phase
    restricted: bool
    external_id_label: str | None
    several: bool


class EntryRequest(BaseModel):
    """Who enters a campaign."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(max_length=40)]
    first_name: Line
    last_name: Line
    birth_date: date | None = Field(None, description="Needed where the campaign is for the learners of a list.")
    ine: Line | None = Field(None, description="Tells homonyms apart.")
    external_id: Line | None = None


class PlatformEntryRequest(BaseModel):
    """One of the platform's learners enters a campaign."""

    model_config = ConfigDict(extra="forbid")

    learner_id: str
    first_name: Line | None = Field(None, description="Needed where the learner is not on the organisation's list.")
    last_name: Line | None = None
    external_id: Line | None = None


class StartRequest(BaseModel):
    """How a learner wants to take the test."""

    model_config = ConfigDict(extra="forbid")

    accessible: Accessible = []


class ParticipationView(BaseModel):
    """A participation, as its learner sees it."""

    id: str
    campaign: CampaignDoor
    attempt: int
    state: State
    external_id: str | None
    run_id: str | None
    created_at: Moment
    finished_at: Moment | None
    sent_at: Moment | None


class Entered(ParticipationView):
    """A participation just entered, with its token."""

    token: str = Field(description="For this participation alone; the same whenever its learner comes back.")


class Started(ParticipationView):
    """A participation whose test is under way, with the run."""

    run: OpenedRun


class SentResult(BaseModel):
    """What was sent."""

    kind: Kind
    run_id: str | None
    finished_at: Moment | None
    competences: list[CompetenceResult]
    own: list[dict[str, Any]] | None
    topics: list[dict[str, Any]]
    asked: int
    answered: int
    skipped: int


class Sent(ParticipationView):
    """A participation that was sent, with what was."""

    snapshot: SentResult
