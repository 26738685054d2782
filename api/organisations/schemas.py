"""Bodies about organisations and their members."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.certification.texts import Line, Moment

Uai = Annotated[
    str,
    Field(pattern=r"^[0-9]{7}[A-Za-z]$", description="Code of the school: seven digits and a letter."),
    AfterValidator(str.upper),
]


class OrganisationRequest(BaseModel):
    """An organisation to create."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Line
    uai: Uai | None = None


class OrganisationView(BaseModel):
    """An organisation."""

    id: str
    name: str
    uai: str | None
    created_at: Moment


class OrganisationPage(BaseModel):
    """Some organisations, and where the list goes on."""

    items: list[OrganisationView]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class MemberRequest(BaseModel):
    """Somebody who works for the organisation."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Line
    role: Literal["admin", "member", "invigilator"] = Field(
        description="An administrator acts for the organisation; an invigilator sees the sessions they are assigned to."
    )


class MemberView(BaseModel):
    """A member of an organisation."""

    id: str
    name: str
    role: Literal["admin", "member", "invigilator"]
    created_at: Moment
    revoked_at: Moment | None = Field(description="Since when the token works no more.")


class NewMember(MemberView):
    """A member just made, with their token."""

    token: str = Field(description="Told here and never again: hand it to the member.")


class MemberPage(BaseModel):
    """Some members, and where the list goes on."""

    items: list[MemberView]
    next: str | None = Field(description="Cursor of the next page; null at the end.")
