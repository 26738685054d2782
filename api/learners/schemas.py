"""Bodies about learners."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

ExternalId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=255,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The platform's own identifier, unique among its learners. Send a pseudonym, not a name.",
    ),
]


class LearnerRequest(BaseModel):
    """A learner to create."""

    model_config = ConfigDict(extra="forbid")

    external_id: ExternalId | None = None


class LearnerView(BaseModel):
    """A learner."""

    id: str
    external_id: str | None
    created_at: str = Field(description="UTC, ISO 8601.")


class LearnerPage(BaseModel):
    """Some learners, and where the list goes on."""

    items: list[LearnerView]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class CompetenceResult(BaseModel):
    """What is known of one competence."""

    competence: str = Field(description="Code in the framework, such as 1.1.")
    state: Literal["measured", "estimated", "unknown"] = Field(
        description="Measured by its own items; estimated, when only less than that informs it; or unknown."
    )
    level: int | None = Field(description="Highest level reached with a probability of one half at least.")
    probability: float | None = Field(description="Probability of being at that very level.")
    probabilities: list[float] | None = Field(description="Probability of each level, 0 first.")
    mean: float | None = Field(description="Expected ability; 0 and 1 are the population's mean and deviation.")
    sd: float | None = Field(description="Standard deviation of the ability.")
    measured_at: str | None = Field(description="When an item of the competence was last replied to.")


class Profile(BaseModel):
    """What is known of a learner."""

    learner_id: str
    run_id: str | None = Field(description="The run that told it: the latest finished one.")
    finished_at: str | None
    competences: list[CompetenceResult]
