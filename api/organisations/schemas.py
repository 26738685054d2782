"""Bodies about organisations and their members."""

from typing import Annotated, Any, Literal

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
        description="An administrator acts for the organisation; a member makes campaigns and reads their results; an "
        "invigilator sees the sessions they are assigned to."
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


class MemberChange(BaseModel):
    """What of a member is to change."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Line | None = None
    role: Literal["admin", "member", "invigilator"] | None = None


class InvitationView(BaseModel):
    """An invitation."""

    id: str
    name: str
    role: Literal["admin", "member", "invigilator"]
    state: Literal["open", "answered", "withdrawn", "expired"]
    created_at: Moment
    expires_at: Moment
    member_id: str | None = Field(description="Who came by it.")


class NewInvitation(InvitationView):
    """An invitation just made, with its code."""

    code: str = Field(description="Told here and never again: hand it over, or send the link.")
    link: str


class InvitationPage(BaseModel):
    """Some invitations, and where the list goes on."""

    items: list[InvitationView]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class InvitationAnswer(BaseModel):
    """Somebody who answers an invitation."""

    model_config = ConfigDict(extra="forbid", strict=True)

    code: str = Field(max_length=40)
    name: Line | None = Field(None, description="Of the new member; as the invitation has it when left out.")


class DeedView(BaseModel):
    """What somebody did."""

    id: str
    at: Moment
    who: str = Field(description="member:ID, platform:ID or server.")
    name: str | None = Field(description="Of the member who did it.")
    kind: str
    data: dict[str, Any] | None


class DeedPage(BaseModel):
    """Some of an audit, and where it goes on."""

    items: list[DeedView]
    next: str | None = Field(description="Cursor of the next page; null at the end.")
