"""Bodies about lists of learners."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from api.certification.texts import Moment


class PersonNamed(BaseModel):
    """Somebody in an example."""

    last_name: str
    first_name: str
    division: str | None
    what: list[str] | None = Field(None, description="Fields that change.")


class Examples(BaseModel):
    """Some learners of each kind of difference."""

    new: list[PersonNamed]
    changed: list[PersonNamed]
    back: list[PersonNamed]
    deactivated: list[PersonNamed]


class Difference(BaseModel):
    """What a list changes."""

    active: int = Field(description="Active learners before.")
    new: int
    changed: int
    back: int = Field(description="Learners who had left and are in the list again, with their history.")
    deactivated: int = Field(description="Active learners who are not in the list.")
    unchanged: int
    other_birth_date: list[int] = Field(
        description="Lines whose INE belongs to somebody of another birthday: an account is made apart."
    )
    examples: Examples


class ImportView(BaseModel):
    """A list that was read."""

    id: str
    file_name: str
    state: Literal["reading", "refused", "checked", "applied"]
    rows: int
    difference: Difference | None
    created_at: Moment
    expires_at: Moment
    applied_at: Moment | None


class ApplyRequest(BaseModel):
    """How a list is to be applied."""

    model_config = ConfigDict(extra="forbid", strict=True)

    confirm: bool = Field(False, description="That so many learners are to be deactivated.")
