"""Who works for an organisation: its administrators make members and take their tokens away."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.context import context_of
from api.organisations.members import create_member, list_members, remove_member
from api.organisations.records import ROLES, Member
from api.pages.certification.doors import own_admin
from api.pages.drawn import drawn_key, once_of
from api.pages.origin import from_our_pages
from api.pages.page import go, page
from api.problems import NOT_NOW, Problem

router = APIRouter(include_in_schema=False)
Admin = Annotated[Member, Depends(own_admin)]

REMOVE: Final = "remove"
_LONGEST: Final = 255
_SHOWN: Final = 1_000


@router.get("/team/members")
async def members(request: Request, member: Admin) -> Response:
    """Show who works for the organisation."""
    return await _members(request, member)


@router.post("/team/members", dependencies=[Depends(from_our_pages)])
async def change(request: Request, member: Admin) -> Response:
    """Make a member, whose token is shown this once; or take one's token away."""
    async with request.form(max_files=0, max_fields=8) as form:
        sent = {name: str(form.get(name, "")) for name in ("act", "member", "name", "role")}
    if sent["act"] == REMOVE:
        try:
            await remove_member(context_of(request), member, member.organisation_id, sent["member"])
        except Problem as problem:
            if problem.kind is not NOT_NOW:
                raise
            return await _members(request, member, problem.status_code, fault="members.last")
        return go("/team/members")
    name = " ".join(sent["name"].split())
    if not 1 <= len(name) <= _LONGEST or not name.isprintable() or sent["role"] not in ROLES:
        return await _members(request, member, 422, fault="members.lacks_name", typed=name)
    once = await once_of(request, member, member.organisation_id, "members", form, f"{sent['role']} {name}")
    made, token = await create_member(context_of(request), member, member.organisation_id, name, sent["role"], once)
    return await _members(request, member, made=made, token=token)


async def _members(
    request: Request,
    member: Member,
    status: int = 200,
    *,
    made: Member | None = None,
    token: str = "",
    fault: str | None = None,
    typed: str = "",
) -> Response:
    listed = await list_members(context_of(request), member, member.organisation_id, None, _SHOWN)
    return page(
        request,
        "certification/members.html",
        status,
        member=member,
        members=[one for one in listed["items"] if one["revoked_at"] is None],
        made=made,
        token=token,
        fault=fault,
        typed=typed,
        key=drawn_key(),
    )
