"""Bodies about decisions."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.certification.texts import READABLE

Why = Annotated[
    str, Field(min_length=1, max_length=1_000, pattern=READABLE, description="Why, in words; kept with the facts.")
]
Outcome = Literal["validated", "rejected", "cancelled", "to_review"]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GivenEndRequest(_Request):
    """Why an unfinished test ended."""

    end: Literal["technical", "candidate"] = Field(
        description="technical: nobody's fault, and too few answers cancel the test; candidate: by choice."
    )
    why: Why


class FinaliseRequest(_Request):
    """Why the tests under way ended that nobody ended."""

    ends: dict[str, GivenEndRequest] = Field(default={}, description="By the candidate's id.", max_length=1_000)


class ReviewRequest(_Request):
    """What the jury decides."""

    outcome: Literal["validated", "rejected", "cancelled"]
    why: Why


class WhyRequest(_Request):
    """The reason of a decision."""

    why: Why


class SessionStateView(BaseModel):
    """Where a session stands."""

    id: str
    state: str


class Said(BaseModel):
    """A text by language."""

    fr: str
    en: str


class ReasonView(BaseModel):
    """Something that speaks for or about an outcome."""

    reason: str
    words: Said


class ReviewView(BaseModel):
    """What the jury decided."""

    at: str
    who: str
    outcome: Outcome
    why: str | None


class CertifiedView(BaseModel):
    """What the answers certify of a competence."""

    competence: str
    title: dict[str, str]
    profile_level: int = Field(description="Level of the positioning.")
    profile_words: Said
    level: int = Field(description="Certified level, 0 for none.")
    level_words: Said
    meaning: Said | None
    status: Literal["not_certified", "lowered", "confirmed"]
    status_words: Said
    probability: float = Field(description="Of an ability at or above the certified level; 1 for level 0.")
    answered: int = Field(description="Answers to items of the competence.")


class ScoringView(BaseModel):
    """A version of a scoring."""

    version: int
    at: str
    who: str
    why: str | None
    outcome: Outcome
    snapshot: str = Field(description="Hash of the calibrated bank that scored.")


class IssuedView(BaseModel):
    """A certificate, in a list."""

    id: str
    scoring: int
    status: Literal["valid", "expired", "replaced", "revoked"]
    issued_at: str
    expires_at: str


class CandidateResult(BaseModel):
    """What became of a candidate."""

    candidate_id: str
    learner_id: str
    first_name: str
    last_name: str
    birth_date: str
    run_id: str | None
    state: str
    ended_at: str | None
    end: str | None = Field(description="completed, time, candidate, technical or invigilator.")
    end_words: Said | None
    end_why: str | None
    outcome: Outcome | None
    outcome_words: Said | None
    reviews: list[ReviewView]
    revoked: bool
    scoring: int | None = Field(description="Version in force.")
    reasons: list[ReasonView]
    competences: list[CertifiedView]
    scorings: list[ScoringView]
    certificates: list[IssuedView]


class ResultsView(BaseModel):
    """What became of the candidates of a session."""

    session_id: str
    state: str
    candidates: list[CandidateResult]


class AccommodationsView(BaseModel):
    """What was arranged for a candidate."""

    extra_time: float
    accessible: list[str]
    equipment: str
    locale: str


class ProfileCompetence(BaseModel):
    """What the positioning told of a competence."""

    competence: str
    level: int
    knowledge: Literal["unknown", "estimated", "measured"]
    certifiable: bool


class PinnedProfile(BaseModel):
    """The profile that the test was to validate."""

    run_id: str
    competences: list[ProfileCompetence]


class QuestionView(BaseModel):
    """A question with its reply, and what was to be expected of this candidate."""

    position: int
    item: str
    competence: str
    topic: str
    level: int
    stem: str
    asked_at: str
    replied_at: str | None
    reply: str | None = Field(description="answered, skipped, timed_out, withdrawn or not_reached.")
    answer: Any
    credit: float | None = Field(description="Share of full credit that the answer earned.")
    chance: float = Field(description="Share to be expected at the abilities that the whole test tells of.")
    seconds: float | None
    expected_seconds: float = Field(description="At the candidate's pace.")
    too_fast: bool
    relaxed: str | None = Field(description="Constraints that gave way for this question.")


class FactView(BaseModel):
    """A fact of a candidate, or of the session."""

    number: int
    kind: str
    at: str
    who: str
    name: str | None
    why: str | None
    data: dict[str, Any]


class EvidenceView(CandidateResult):
    """Everything about one candidate."""

    session_id: str
    date: str
    accommodations: AccommodationsView
    started_at: str
    seconds_used: float
    seconds_allowed: float
    statistics: dict[str, Any] = Field(
        description="person_fit, sincerity, too_fast, times and copied, each with p, its threshold, and whether beyond."
    )
    profile: PinnedProfile
    questions: list[QuestionView]
    incidents: list[FactView]
    facts: list[FactView]
