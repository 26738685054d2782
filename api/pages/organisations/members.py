"""Who works for an organisation: its administrators invite members, change their roles and take their tokens away."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.context import context_of
from api.organisations.invitations import invite, list_invitations, withdraw
from api.organisations.members import change_member, create_member, list_members, remove_member
from api.organisations.records import ROLES, Member
from api.pages.certification.doors import own_admin
from api.pages.certification.moments import local
from api.pages.certification.refusals import refusal
from api.pages.drawn import drawn_key, once_of
from api.pages.origin import from_our_pages
from api.pages.page import go, page, words_for
from api.problems import NOT_NOW, Problem

router = APIRouter(include_in_schema=False)
Admin = Annotated[Member, Depends(own_admin)]

ACTS: Final = ("remove", "change", "withdraw")
_LONGEST: Final = 255
_SHOWN: Final = 1_000


@router.get("/team/members")
async def members(request: Request, member: Admin) -> Response:
    """Show who works for the organisation, and who is invited."""
    return await _members(request, member)


@router.post("/team/members", dependencies=[Depends(from_our_pages)])
async def change(request: Request, member: Admin) -> Response:
    """Invite or make a member, whose code or token is shown this once; change a role; take a token or a code away."""
    context = context_of(request)
    async with request.form(max_files=0, max_fields=8) as form:
        sent = {name: str(form.get(name, "")) for name in ("act", "member", "invitation", "name", "role")}
    if sent["act"] in ACTS:
        try:
            match sent["act"]:
                case "remove":
                    await remove_member(context, member, member.organisation_id, sent["member"])
                case "withdraw":
                    await withdraw(context, member, member.organisation_id, sent["invitation"])
                case "change" if sent["role"] in ROLES:
                    await change_member(context, member, member.organisation_id, sent["member"], None, sent["role"])
        except Problem as problem:
            if problem.kind is not NOT_NOW:
                raise
            return await _members(request, member, problem.status_code, refused=refusal(request, problem))
        return go("/team/members")
    name = " ".join(sent["name"].split())
    if not 1 <= len(name) <= _LONGEST or not name.isprintable() or sent["role"] not in ROLES:
        return await _members(request, member, 422, lacks_name=True, typed=name)
    once = await once_of(request, member, member.organisation_id, sent["act"], form, f"{sent['role']} {name}")
    if sent["act"] == "add":
        made, token = await create_member(context, member, member.organisation_id, name, sent["role"], once)
        return await _members(request, member, made=made.name, token=token)
    invitation = await invite(context, member, member.organisation_id, name, sent["role"], once)
    return await _members(request, member, made=name, invitation=invitation)


async def _members(
    request: Request,
    member: Member,
    status: int = 200,
    *,
    made: str | None = None,
    token: str = "",
    invitation: dict[str, Any] | None = None,
    lacks_name: bool = False,
    refused: str | None = None,
    typed: str = "",
) -> Response:
    context, words = context_of(request), words_for(request)
    listed = await list_members(context, member, member.organisation_id, None, _SHOWN)
    invited = await list_invitations(context, member, member.organisation_id, None, _SHOWN)
    zone = context.settings.campaign_zone

    def day(written: str) -> str:
        return words.day(local(datetime.fromisoformat(written), zone))

    return page(
        request,
        "organisations/members.html",
        status,
        member=member,
        roles=ROLES,
        members=[one for one in listed["items"] if one["revoked_at"] is None],
        invited=[one | {"until": day(one["expires_at"])} for one in invited["items"] if one["state"] == "open"],
        made=made,
        token=token,
        invitation=invitation,
        fault="members.lacks_name" if lacks_name else None,
        refused=refused,
        typed=typed,
        key=drawn_key(),
    )
