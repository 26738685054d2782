"""The page of a session: who is enrolled, what comes next, and its files."""

from datetime import date, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.certification.decisions.jury import publish
from api.certification.sessions.attendance import attendance_sheet
from api.certification.sessions.candidates import list_candidates
from api.certification.sessions.opening import open_session, session_feasibility
from api.certification.sessions.service import cancel_session, find_session
from api.certification.states import Phase
from api.context import context_of
from api.identifiers import written_access_code
from api.organisations.members import list_members
from api.organisations.records import ADMIN, Member
from api.pages.certification.doors import own_admin, own_member
from api.pages.certification.refusals import refusal
from api.pages.origin import from_our_pages
from api.pages.page import go, page, words_for
from api.problems import NOT_FEASIBLE, NOT_NOW, Problem

router = APIRouter(include_in_schema=False)
Here = Annotated[Member, Depends(own_member)]
Admin = Annotated[Member, Depends(own_admin)]

SAID: Final = frozenset(
    ("created", "changed", "opened", "finalised", "published", "cancelled", "enrolled", "removed", "imported")
)
"""What may be told after a form, by the name in the address."""
_CANDIDATES: Final = 1_000
_MEMBERS: Final = 100
_LONGEST: Final = 2_000


@router.get("/team/sessions/{session_id}")
async def sheet(request: Request, session_id: str, member: Here, said: str = "", count: int = 0) -> Response:
    """Show a session."""
    words = words_for(request)
    told = words(f"sheet.said_{said}", count=count) if said in SAID else None
    return await _sheet(request, member, session_id, said=told)


@router.post("/team/sessions/{session_id}", dependencies=[Depends(from_our_pages)])
async def act(request: Request, session_id: str, member: Admin) -> Response:
    """Open, cancel or publish a session, or prove that the bank can serve it."""
    context = context_of(request)
    async with request.form(max_files=0, max_fields=8) as form:
        wish, why = str(form.get("act", "")), str(form.get("why", ""))[:_LONGEST].strip()
    try:
        match wish:
            case "feasibility":
                proof = await session_feasibility(context, member, session_id)
                return await _sheet(request, member, session_id, proof=proof)
            case "open":
                await open_session(context, member, session_id)
                return go(f"/team/sessions/{session_id}?said=opened")
            case "publish":
                await publish(context, member, session_id)
                return go(f"/team/sessions/{session_id}?said=published")
            case "cancel" if why:
                await cancel_session(context, member, session_id, why)
                return go(f"/team/sessions/{session_id}?said=cancelled")
            case "cancel":
                return await _sheet(request, member, session_id, 422, lacks_why=True)
            case _:
                return go(f"/team/sessions/{session_id}")
    except Problem as problem:
        if problem.kind is NOT_FEASIBLE:
            proof = {"feasible": False, "findings": problem.members["findings"]}
            return await _sheet(request, member, session_id, problem.status_code, proof=proof)
        if problem.kind is not NOT_NOW:
            raise
        return await _sheet(request, member, session_id, 409, refused=refusal(request, problem))


@router.get("/team/sessions/{session_id}/attendance.pdf")
async def attendance(request: Request, session_id: str, member: Here) -> Response:
    """Print the attendance sheet."""
    name, content = await attendance_sheet(context_of(request), member, session_id)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/pdf", headers=headers)


def dated(request: Request, session: dict[str, Any]) -> dict[str, Any]:
    """Return a session with its day and hour in words, and its code as people write it."""
    words = words_for(request)
    return session | {
        "day": words.day(date.fromisoformat(session["date"])),
        "hour": words.hour(datetime.strptime(session["time"], "%H:%M")),
        "code": written_access_code(session["access_code"]),
    }


async def _sheet(
    request: Request,
    member: Member,
    session_id: str,
    status: int = 200,
    *,
    said: str | None = None,
    refused: str | None = None,
    proof: dict[str, Any] | None = None,
    lacks_why: bool = False,
) -> Response:
    context, words = context_of(request), words_for(request)
    session = await find_session(context, member, session_id)
    found = await list_candidates(context, member, session_id, None, _CANDIDATES)
    enrolled = [one for one in found["items"] if one["state"] != Phase.REMOVED]
    members = await list_members(context, member, member.organisation_id, None, _MEMBERS)
    return page(
        request,
        "certification/sheet.html",
        status,
        member=member,
        admin=member.role == ADMIN,
        session=dated(request, session),
        candidates=[one | {"born": words.day(date.fromisoformat(one["birth_date"]))} for one in enrolled],
        invigilators=[one["name"] for one in members["items"] if one["id"] in session["invigilators"]],
        said=said,
        refused=refused,
        proof=proof,
        lacks_why=lacks_why,
    )
