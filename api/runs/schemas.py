"""Bodies about runs."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from api.learners.schemas import CompetenceResult
from itembank.items import FLAGS

Flag = Literal["blind", "colour_blind", "deaf"]
CompetenceCode = Annotated[str, Field(min_length=1, max_length=32)]


def _number(value: Any) -> Any:
    """Let integers of JSON through, which knows no difference between 3 and 3.0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("input should be a whole number")
    return value


Position = Annotated[int, Field(strict=False, ge=0, le=2**31 - 1), BeforeValidator(_number)]
Length = Annotated[int, Field(strict=False, ge=1, le=200), BeforeValidator(_number)]
# The largest whole number below 2**63 that a JSON number of double precision holds: OpenAPI documents bounds as such.
Seed = Annotated[int, Field(strict=False, ge=0, le=2**63 - 1024), BeforeValidator(_number)]

_ONE_REPLY: list[JsonValue] = [
    {"required": ["answer"], "properties": {"answer": {"not": {"type": "null"}}}},
    {"required": ["skipped"], "properties": {"skipped": {"const": True}}},
    {"required": ["timed_out"], "properties": {"timed_out": {"const": True}}},
]


class RunRequest(BaseModel):
    """A run to open."""

    model_config = ConfigDict(extra="forbid", strict=True)

    learner_id: str = Field(max_length=64, description="The learner, as POST /v1/learners named them.")
    competences: list[CompetenceCode] | None = Field(
        None, min_length=1, max_length=64, description="Codes of the competences to position on; all when left out."
    )
    locale: str = Field("fr", pattern=r"^[a-z]{2}$", description="Language of the items.")
    accessible: list[Flag] = Field(
        default_factory=list, max_length=len(FLAGS), description="Ask only items that suit all of these."
    )
    length: Length | None = Field(None, description="Items asked; by default what the competences need.")
    seed: Seed | None = Field(
        None, description="Seed of the draws, to reproduce a simulation; drawn at random when left out."
    )


class AnswerRequest(BaseModel):
    """A reply to the pending item: an answer, or skipped, or timed_out."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"oneOf": _ONE_REPLY})

    position: Position = Field(description="Position of the pending item.")
    item: str = Field(min_length=1, max_length=255, description="Id of the pending item.")
    kind: str | None = Field(None, max_length=64, description="Kind of the item; checked when given.")
    answer: JsonValue = Field(None, description="In the form that the item's kind asks for.")
    skipped: bool = Field(False, description="The learner passed the item.")
    timed_out: bool = Field(False, description="The item's own time limit ran out without an answer.")
    seconds: float | None = Field(
        None, ge=0, le=86_400, allow_inf_nan=False, description="Time spent on the item; measured here when left out."
    )

    @model_validator(mode="after")
    def _one_reply(self) -> "AnswerRequest":
        if [self.answer is not None, self.skipped, self.timed_out].count(True) != 1:
            raise ValueError("send exactly one of answer, skipped: true and timed_out: true")
        return self


class Choice(BaseModel):
    """A text to choose, and its code."""

    code: str
    text: str


class ItemView(BaseModel):
    """An item as a learner may see it."""

    id: str
    kind: Literal["single_choice", "multiple_choice", "short_text", "number", "ordering", "matching"]
    locale: str
    competence: str
    stem: str
    document: dict[str, Any] | None = None
    table: dict[str, Any] | None = None
    code: str | None = None
    choices: list[Choice] | None = None
    options: list[Choice] | None = None
    unit: str | None = None
    limit: int | None = Field(None, description="Seconds allowed.")


class Pending(BaseModel):
    """The item that waits for a reply."""

    position: int
    item: ItemView


class Progress(BaseModel):
    """How far the run is."""

    answered: int
    at_most: int


class RunSummary(BaseModel):
    """A run in a list."""

    id: str
    learner_id: str
    state: Literal["open", "finished"]
    created_at: str
    finished_at: str | None
    locale: str
    competences: list[str]
    accessible: list[str]
    access_code: str = Field(description="What the learner types to come back to the run.")


class RunPage(BaseModel):
    """Some runs, and where the list goes on."""

    items: list[RunSummary]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class RunView(RunSummary):
    """A run where it stands."""

    pending: Pending | None
    progress: Progress
    reason: str | None = Field(description="Why a finished run ended, such as max_length.")
    result: list[CompetenceResult] | None = Field(description="Of a finished run.")


class OpenedRun(RunView):
    """A run just opened."""

    learner_token: str = Field(description="The learner's token for this run.")


class AnswerView(BaseModel):
    """What became of a reply, and what comes next."""

    run_id: str
    position: int
    item: str
    outcome: Literal["answered", "skipped", "timed_out"]
    at: str
    state: Literal["open", "finished"]
    pending: Pending | None
    progress: Progress
