"""Bodies about the learners of an organisation."""

from datetime import date
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from api.certification.texts import Id, Line, Moment

ShownDivision = Annotated[
    str, Query(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$", description="Of one class alone; of all when empty.")
]
Division = ShownDivision | None
ShownName = Annotated[
    str,
    Query(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$", description="Words that begin those of the names sought."),
]
Name = ShownName | None
Number = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
"""What identifies somebody: printable, without spaces."""


class RegistrationRequest(BaseModel):
    """A learner to put on the list; an INE or a number of the organisation's own tells them from all others."""

    model_config = ConfigDict(extra="forbid")

    last_name: Line
    first_name: Line
    birth_date: date
    ine: Number | None = None
    external_id: Number | None = Field(None, description="Of the organisation, where there is no INE.")
    usual_name: Line | None = None
    division: Line | None = Field(None, description="The class.")
    learner_id: Id | None = Field(None, description="Account of one of the platform's learners, for platforms alone.")


class RegistrationChange(BaseModel):
    """What of a learner on the list is to change."""

    model_config = ConfigDict(extra="forbid")

    last_name: Line | None = None
    first_name: Line | None = None
    birth_date: date | None = None
    usual_name: Line | None = None
    division: Line | None = None
    active: bool | None = Field(None, description="False takes them off the list; their history stays.")


class RegistrationView(BaseModel):
    """A learner on the list."""

    id: str
    learner_id: str
    last_name: str
    usual_name: str | None
    first_name: str
    birth_date: str
    ine: str | None
    external_id: str | None
    division: str | None
    status: Literal["ST", "AP"] | None = Field(description="ST, a student; AP, an apprentice.")
    mef: str | None
    active: bool
    created_at: Moment
    changed_at: Moment
    deactivated_at: Moment | None


class NewRegistration(RegistrationView):
    """A learner just put on the list."""

    apart: bool = Field(
        description="Whether the INE belongs to somebody of another birthday, so that an account was made apart."
    )


class RegistrationPage(BaseModel):
    """Some learners, and where the list goes on."""

    items: list[RegistrationView]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class Team(BaseModel):
    """A class, with the number of its active learners."""

    division: str | None
    learners: int


class TeamList(BaseModel):
    """The classes of an organisation."""

    items: list[Team]
