"""/v1/organisations/{organisation_id}/sessions and /v1/sessions."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.responses import JSONResponse

from api.certification.sessions.attendance import attendance_sheet
from api.certification.sessions.incidents import incidents_of, note_incident
from api.certification.sessions.opening import open_session, session_feasibility
from api.certification.sessions.schemas import (
    FeasibilityView,
    IncidentPage,
    IncidentRequest,
    IncidentView,
    SessionChange,
    SessionPage,
    SessionRequest,
    SessionView,
    Why,
)
from api.certification.sessions.service import (
    cancel_session,
    change_session,
    create_session,
    find_session,
    list_sessions,
)
from api.context import context_of
from api.errors import problem_responses
from api.idempotency import IdempotencyKey
from api.oauth.scopes import CERTIFICATION_READ, CERTIFICATION_WRITE
from api.organisations.callers import Staff, staff
from api.organisations.keyed import once_for
from api.pagination import Cursor, Limit
from api.problems import (
    BODY_TOO_LARGE,
    INVALID_JSON,
    INVALID_REQUEST,
    KEY_REUSED,
    NOT_ALLOWED,
    NOT_FEASIBLE,
    NOT_NOW,
    UNAUTHENTICATED,
    UNKNOWN_CANDIDATE,
    UNKNOWN_ORGANISATION,
    UNKNOWN_SESSION,
)

_ALWAYS = problem_responses(UNAUTHENTICATED, NOT_ALLOWED, INVALID_REQUEST)
of_organisation = APIRouter(prefix="/v1/organisations/{organisation_id}/sessions", tags=["sessions"], responses=_ALWAYS)
router = APIRouter(prefix="/v1/sessions/{session_id}", tags=["sessions"], responses=_ALWAYS)

OrganisationId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
SessionId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
Reader = Annotated[Staff, Depends(staff(CERTIFICATION_READ))]
Writer = Annotated[Staff, Depends(staff(CERTIFICATION_WRITE))]
Admin = Annotated[Staff, Depends(staff(CERTIFICATION_WRITE, admin=True))]


@of_organisation.post(
    "",
    status_code=201,
    summary="Plan a session",
    response_model=SessionView,
    responses=problem_responses(INVALID_JSON, UNKNOWN_ORGANISATION, BODY_TOO_LARGE, INVALID_REQUEST, KEY_REUSED),
)
async def post_session(
    request: Request,
    caller: Admin,
    organisation_id: OrganisationId,
    order: SessionRequest,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Plan a session: a draft, which pins the certification rules in force now."""
    context = context_of(request)
    once = await once_for(context, caller, organisation_id, "sessions", idempotency_key, order.model_dump_json())
    made = await create_session(context, caller, organisation_id, order, once)
    return JSONResponse(made, status_code=201, headers={"Location": f"/v1/sessions/{made['id']}"})


@of_organisation.get(
    "",
    summary="List the sessions of an organisation",
    response_model=SessionPage,
    responses=problem_responses(UNKNOWN_ORGANISATION),
)
async def get_sessions(
    request: Request, caller: Reader, organisation_id: OrganisationId, cursor: Cursor = None, limit: Limit = 50
) -> Any:
    """List the sessions of an organisation, the latest first; an invigilator sees those they are assigned to."""
    return await list_sessions(context_of(request), caller, organisation_id, cursor, limit)


@router.get("", summary="Read a session", response_model=SessionView, responses=problem_responses(UNKNOWN_SESSION))
async def get_session(request: Request, caller: Reader, session_id: SessionId) -> Any:
    """Read a session."""
    return await find_session(context_of(request), caller, session_id)


@router.patch(
    "",
    summary="Change a session",
    response_model=SessionView,
    responses=problem_responses(INVALID_JSON, UNKNOWN_SESSION, NOT_NOW, BODY_TOO_LARGE, INVALID_REQUEST),
)
async def patch_session(request: Request, caller: Admin, session_id: SessionId, change: SessionChange) -> Any:
    """Change a draft; of an open session, the room and the invigilators alone. What is left out, or null, stays."""
    return await change_session(context_of(request), caller, session_id, change)


@router.post(
    "/open",
    summary="Open a session",
    response_model=SessionView,
    responses=problem_responses(UNKNOWN_SESSION, NOT_NOW, INVALID_REQUEST, NOT_FEASIBLE),
)
async def post_open(request: Request, caller: Admin, session_id: SessionId) -> Any:
    """Open a session, once it is proved that the bank can serve the test to every candidate; they may then come in."""
    return await open_session(context_of(request), caller, session_id)


@router.post(
    "/cancel",
    summary="Cancel a session",
    response_model=SessionView,
    responses=problem_responses(INVALID_JSON, UNKNOWN_SESSION, NOT_NOW, BODY_TOO_LARGE, INVALID_REQUEST),
)
async def post_cancel(request: Request, caller: Admin, session_id: SessionId, body: Why) -> Any:
    """Cancel a session in which no test has begun; its candidates are taken off its list."""
    return await cancel_session(context_of(request), caller, session_id, body.why)


@router.get(
    "/feasibility",
    summary="Prove that the bank can serve a session",
    response_model=FeasibilityView,
    responses=problem_responses(UNKNOWN_SESSION),
)
async def get_feasibility(request: Request, caller: Reader, session_id: SessionId) -> Any:
    """Say for every locale and accommodation among the candidates which constraint of the test fails, if one does."""
    return await session_feasibility(context_of(request), caller, session_id)


@router.get(
    "/attendance.pdf",
    summary="Print the attendance sheet",
    response_class=Response,
    responses={
        200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}},
        **problem_responses(UNKNOWN_SESSION),
    },
)
async def get_attendance(request: Request, caller: Reader, session_id: SessionId) -> Response:
    """Print who is expected, with a cell to sign: a PDF in French and English."""
    name, content = await attendance_sheet(context_of(request), caller, session_id)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/pdf", headers=headers)


@router.post(
    "/incidents",
    status_code=201,
    summary="Note an incident",
    response_model=IncidentView,
    responses=problem_responses(
        INVALID_JSON, UNKNOWN_SESSION, UNKNOWN_CANDIDATE, NOT_NOW, BODY_TOO_LARGE, INVALID_REQUEST
    ),
)
async def post_incident(request: Request, caller: Writer, session_id: SessionId, body: IncidentRequest) -> Any:
    """Note something that happened in the room, or to one candidate; it is kept for the jury."""
    return await note_incident(context_of(request), caller, session_id, body.why, body.candidate_id)


@router.get(
    "/incidents", summary="List incidents", response_model=IncidentPage, responses=problem_responses(UNKNOWN_SESSION)
)
async def get_incidents(request: Request, caller: Reader, session_id: SessionId) -> Any:
    """List every incident of a session, in order."""
    return await incidents_of(context_of(request), caller, session_id)
