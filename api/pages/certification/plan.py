"""Planning a session: the form that creates or changes one."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.responses import Response

from api.certification.sessions.schemas import SessionChange, SessionRequest
from api.certification.sessions.service import CHANGEABLE_WHEN_OPEN, change_session, create_session, find_session
from api.context import context_of
from api.organisations.members import list_members
from api.organisations.records import Member
from api.pages.certification.doors import own_admin
from api.pages.certification.refusals import refusal
from api.pages.drawn import drawn_key, once_of
from api.pages.origin import from_our_pages
from api.pages.page import go, page
from api.problems import INVALID_REQUEST, NOT_NOW, Problem

router = APIRouter(include_in_schema=False)
Admin = Annotated[Member, Depends(own_admin)]

FIELDS: Final = ("date", "time", "place", "room", "zone")
NEW: Final = {"date": "", "time": "09:00", "place": "", "room": "", "zone": "Europe/Paris", "invigilators": []}
OPEN: Final = "open"
_LONGEST: Final = 300
_MEMBERS: Final = 100


@router.get("/team/sessions/new")
async def new(request: Request, member: Admin) -> Response:
    """Show the form of a new session."""
    return await _form(request, member, NEW)


@router.post("/team/sessions/new", dependencies=[Depends(from_our_pages)])
async def create(request: Request, member: Admin) -> Response:
    """Plan a session."""
    async with request.form(max_files=0, max_fields=200) as form:
        typed = _typed(form)
    order, faults = _order(typed)
    if order is None:
        return await _form(request, member, typed, faults=faults, status=422)
    try:
        once = await once_of(request, member, member.organisation_id, "sessions", form, order.model_dump_json())
        made = await create_session(context_of(request), member, member.organisation_id, order, once)
    except Problem as problem:
        return await _form(request, member, typed, problem=_suitable(problem), status=problem.status_code)
    return go(f"/team/sessions/{made['id']}?said=created")


@router.get("/team/sessions/{session_id}/edit")
async def edit(request: Request, session_id: str, member: Admin) -> Response:
    """Show the form of a session that is planned."""
    session = await find_session(context_of(request), member, session_id)
    return await _form(request, member, session, session)


@router.post("/team/sessions/{session_id}/edit", dependencies=[Depends(from_our_pages)])
async def change(request: Request, session_id: str, member: Admin) -> Response:
    """Change a session; of an open one, the room and the invigilators alone."""
    session = await find_session(context_of(request), member, session_id)
    async with request.form(max_files=0, max_fields=200) as form:
        typed = _typed(form)
    if session["state"] == OPEN:
        typed |= {name: session[name] for name in FIELDS if name not in CHANGEABLE_WHEN_OPEN}
    order, faults = _order(typed)
    if order is None:
        return await _form(request, member, typed, session, faults=faults, status=422)
    values = order.model_dump(exclude={"window"})
    given = {name: value for name, value in values.items() if value != session[name]}
    try:
        await change_session(context_of(request), member, session_id, SessionChange(**given))
    except Problem as problem:
        return await _form(request, member, typed, session, problem=_suitable(problem), status=problem.status_code)
    return go(f"/team/sessions/{session_id}?said=changed")


def _typed(form: FormData) -> dict[str, Any]:
    texts: dict[str, Any] = {name: str(form.get(name, ""))[:_LONGEST].strip() for name in FIELDS}
    return texts | {"invigilators": [str(value)[:64] for value in form.getlist("invigilators")]}


def _order(typed: dict[str, Any]) -> tuple[SessionRequest | None, list[str]]:
    """Read the fields, or name those that do not suit."""
    try:
        return SessionRequest(**{name: typed[name] for name in (*FIELDS, "invigilators")}), []
    except ValidationError as error:
        return None, sorted({str(fault["loc"][0]) for fault in error.errors()}, key=[*FIELDS, "invigilators"].index)


def _suitable(problem: Problem) -> Problem:
    if problem.kind not in (INVALID_REQUEST, NOT_NOW):
        raise problem
    return problem


async def _form(
    request: Request,
    member: Member,
    typed: dict[str, Any],
    session: dict[str, Any] | None = None,
    *,
    faults: list[str] | None = None,
    problem: Problem | None = None,
    status: int = 200,
) -> Response:
    context = context_of(request)
    members = await list_members(context, member, member.organisation_id, None, _MEMBERS)
    return page(
        request,
        "certification/plan.html",
        status,
        member=member,
        session=session,
        typed=typed,
        key=drawn_key(),
        faults=faults or [],
        refused=None if problem is None else refusal(request, problem),
        members=[one for one in members["items"] if one["revoked_at"] is None],
        windows=context.certification.windows,
        fixed=() if session is None or session["state"] != OPEN else tuple(set(FIELDS) - CHANGEABLE_WHEN_OPEN),
    )
