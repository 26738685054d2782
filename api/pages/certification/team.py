"""The team's door: sign in with a member's token, see one's sessions, sign out."""

from collections.abc import Mapping
from datetime import date, datetime

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.addresses import address_of
from api.certification.sessions.service import list_sessions
from api.context import context_of
from api.organisations.records import ADMIN, INVIGILATOR, Member
from api.pages.certification.doors import member_of_token, shown_member
from api.pages.cookie import STAFF
from api.pages.origin import from_our_pages
from api.pages.page import go, page, words_for
from api.problems import TOO_MANY_REQUESTS, Problem

router = APIRouter(include_in_schema=False)

_LONGEST = 200
_SHOWN = 30


@router.get("/team")
async def team(request: Request, left: str = "", before: str | None = None) -> Response:
    """Show one's sessions, or the door."""
    member = await shown_member(request)
    if member is None:
        return _door(request, left=left == "1")
    return await _sessions(request, member, before)


@router.post("/team", dependencies=[Depends(from_our_pages)])
async def sign_in(request: Request) -> Response:
    """Let a member in who shows their token."""
    async with request.form(max_files=0, max_fields=8) as form:
        token = str(form.get("token", ""))[:_LONGEST].strip()
    if not token:
        return _door(request, 422, fault="team.token_empty")
    try:
        context_of(request).sign_in_limit.try_once(address_of(request))
        member = await member_of_token(request, token)
    except Problem as problem:
        if problem.kind is not TOO_MANY_REQUESTS:
            raise
        return _door(request, problem.status_code, problem.headers, fault="problem.too-many-requests.text")
    if member is None:
        return _door(request, 403, fault="team.token_unknown")
    response = go("/team" if member.role == INVIGILATOR else "/team/campaigns")
    STAFF.bind(request, response, token)
    return response


@router.get("/team/leave")
async def nothing_to_see() -> Response:
    """Answer somebody who comes back to the address of a form."""
    return go("/team")


@router.post("/team/leave", dependencies=[Depends(from_our_pages)])
async def sign_out(request: Request) -> Response:
    """Forget the member in this browser."""
    response = go("/team?left=1")
    STAFF.release(request, response)
    return response


def _door(
    request: Request,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    fault: str | None = None,
    left: bool = False,
) -> Response:
    return page(request, "certification/door.html", status, headers, fault=fault, left=left)


async def _sessions(request: Request, member: Member, before: str | None) -> Response:
    words = words_for(request)
    found = await list_sessions(context_of(request), member, member.organisation_id, before, _SHOWN)
    sessions = [
        session
        | {
            "day": words.day(date.fromisoformat(session["date"])),
            "hour": words.hour(datetime.strptime(session["time"], "%H:%M")),
        }
        for session in found["items"]
    ]
    return page(
        request,
        "certification/team.html",
        member=member,
        admin=member.role == ADMIN,
        sessions=sessions,
        older=found["next"],
    )
