"""Bodies about what was sent."""

from typing import Literal

from pydantic import BaseModel, Field

from api.certification.texts import Moment
from api.learners.schemas import CompetenceResult


class ChangeView(BaseModel):
    """Change of one learner in one competence, from the answers of each campaign alone."""

    mean: float
    sd: float
    lower: float = Field(description="Lower end of the 90 % interval.")
    upper: float
    rose: float = Field(description="Probability that the ability rose.")
    verdict: Literal["fell", "noise", "rose"] = Field(description="Noise unless the interval excludes no change.")


class SinceView(BaseModel):
    """The campaign with which a learner's result is compared."""

    campaign_id: str
    title: str
    sent_at: Moment


class CompetenceSent(CompetenceResult):
    """What a learner sent of one competence."""

    target: int | None
    change: ChangeView | None


class TopicNext(BaseModel):
    """A topic to work on, and why."""

    topic: str
    reason: Literal["missed", "skipped", "not_seen"]


class StepNext(BaseModel):
    """A competence to work on next."""

    competence: str
    level: int = Field(description="Level to go for.")
    missing: float = Field(description="Expected number of levels missing to the target.")
    reach: float = Field(description="Probability of being at that level already: how near it is.")
    topics: list[TopicNext]


class LearnerResult(BaseModel):
    """What a learner sent."""

    id: str
    campaign_id: str
    first_name: str
    last_name: str
    division: str | None
    external_id: str | None
    attempt: int
    sent_at: Moment
    asked: int
    skipped: int
    since: SinceView | None
    competences: list[CompetenceSent]
    next: list[StepNext]


class ShareView(BaseModel):
    """Share of a group at or above the target, with its 90 % interval."""

    estimate: float
    lower: float
    upper: float


class NeedView(BaseModel):
    """Need of a group in one competence: the product of the two figures below."""

    score: float = Field(description="Levels missing to the target per learner, on average.")
    share_below: float
    missing_when_below: float = Field(description="Levels missing, on average, of those below.")


class CompetenceOfGroup(BaseModel):
    """What a group sent of one competence."""

    competence: str
    target: int | None
    learners: int = Field(description="Of whom something is known.")
    unknown: int
    levels: list[float] = Field(description="Expected number of learners at each level, 0 first.")
    share: ShareView | None
    need: NeedView | None


class TopicOfGroup(BaseModel):
    """A topic in which a group obtained less than its abilities foretell."""

    competence: str
    topic: str
    asked: int
    obtained: float
    expected: float
    residual: float = Field(description="Points per reply less those expected, shrunken.")
    sd: float


class GroupResults(BaseModel):
    """What a group sent."""

    campaign_id: str
    division: str | None
    divisions: list[str | None]
    learners: int
    competences: list[CompetenceOfGroup]
    needs: list[str] = Field(description="Competences, the greatest need first.")
    topics: list[TopicOfGroup]


class ClassView(BaseModel):
    """A class in one competence."""

    division: str | None
    learners: int
    mean: float | None = Field(description="Read with the other classes.")
    lower: float | None
    upper: float | None
    raw: float | None = Field(description="Of its own learners alone.")
    weight: float | None = Field(description="Share of its own learners in the mean.")
    above: float | None = Field(description="Probability that a learner of such a class is at the target or above.")


class CompetenceCompared(BaseModel):
    """Classes in one competence."""

    competence: str
    target: int | None
    within: float | None = Field(description="Standard deviation of abilities in a class.")
    between: float | None = Field(description="Standard deviation of the means of classes.")
    classes: list[ClassView]


class Comparison(BaseModel):
    """Classes compared."""

    campaign_id: str
    learners: int
    competences: list[CompetenceCompared]


class CompetenceProgress(BaseModel):
    """Mean change of a group in one competence."""

    competence: str
    learners: int
    mean: float | None
    lower: float | None = None
    upper: float | None = None
    rose: float | None = None
    certain: bool | None = Field(None, description="Whether the 90 % interval excludes no change.")


class ProgressView(BaseModel):
    """Mean change of the learners of two campaigns."""

    campaign_id: str
    since: str
    division: str | None
    learners: int
    competences: list[CompetenceProgress]
