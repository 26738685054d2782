"""/v1/sessions/{session_id}/candidates and /v1/learners/{learner_id}/eligibility."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import JSONResponse

from api.body_limit import takes_a_file
from api.certification.callers import organisation_of_session
from api.certification.sessions.candidate_schemas import (
    CandidateChange,
    CandidatePage,
    CandidateRequest,
    CandidateView,
    EligibilityView,
    ImportView,
)
from api.certification.sessions.candidates import change_candidate, find_candidate, list_candidates, remove_candidate
from api.certification.sessions.enrolment import enrol, learner_eligibility
from api.certification.sessions.importing import import_candidates
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
    INVALID_ROWS,
    KEY_REUSED,
    NOT_ALLOWED,
    NOT_ELIGIBLE,
    NOT_FEASIBLE,
    NOT_NOW,
    UNAUTHENTICATED,
    UNKNOWN_CANDIDATE,
    UNKNOWN_CODE,
    UNKNOWN_LEARNER,
    UNKNOWN_SESSION,
)

_ALWAYS = problem_responses(UNAUTHENTICATED, NOT_ALLOWED, INVALID_REQUEST)
router = APIRouter(prefix="/v1/sessions/{session_id}/candidates", tags=["candidates"], responses=_ALWAYS)
of_learner = APIRouter(prefix="/v1/learners/{learner_id}", tags=["learners"], responses=_ALWAYS)

SessionId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
CandidateId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
LearnerId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
Why = Annotated[
    str | None,
    Query(min_length=1, max_length=2_000, pattern=r"^[^\x00-\x1f\x7f]+$", description="Why, for the record."),
]
Reader = Annotated[Staff, Depends(staff(CERTIFICATION_READ))]
AdminReader = Annotated[Staff, Depends(staff(CERTIFICATION_READ, admin=True))]
Admin = Annotated[Staff, Depends(staff(CERTIFICATION_WRITE, admin=True))]

_CSV: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"text/csv": {"schema": {"type": "string", "description": "A header and a line for each learner."}}},
    }
}


@router.post(
    "",
    status_code=201,
    summary="Enrol a learner",
    response_model=CandidateView,
    responses=problem_responses(
        INVALID_JSON,
        UNKNOWN_SESSION,
        UNKNOWN_LEARNER,
        UNKNOWN_CODE,
        NOT_NOW,
        KEY_REUSED,
        BODY_TOO_LARGE,
        INVALID_REQUEST,
        NOT_ELIGIBLE,
        NOT_FEASIBLE,
    ),
)
async def post_candidate(
    request: Request,
    caller: Admin,
    session_id: SessionId,
    order: CandidateRequest,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Enrol a learner who may be certified; who may not is told why, with the competences that are missing."""
    context, text = context_of(request), order.model_dump_json()
    once = await once_for(context, caller, session_id, "candidates", idempotency_key, text, organisation_of_session)
    made = await enrol(context, caller, session_id, order, once)
    location = f"/v1/sessions/{made['session_id']}/candidates/{made['id']}"
    return JSONResponse(made, status_code=201, headers={"Location": location})


@router.post(
    "/import",
    status_code=201,
    dependencies=[Depends(takes_a_file)],
    summary="Enrol learners from a CSV file",
    response_model=ImportView,
    responses=problem_responses(UNKNOWN_SESSION, NOT_NOW, KEY_REUSED, BODY_TOO_LARGE, INVALID_REQUEST, INVALID_ROWS),
    openapi_extra=_CSV,
)
async def post_import(
    request: Request, caller: Admin, session_id: SessionId, idempotency_key: IdempotencyKey = None
) -> Response:
    """Enrol everybody in a file, or nobody: all that is wrong in it is told at once, with line, column and code."""
    context, content = context_of(request), await request.body()
    once = await once_for(
        context, caller, session_id, "import", idempotency_key, content.hex(), organisation_of_session
    )
    kind = request.headers.get("content-type", "")
    return JSONResponse(await import_candidates(context, caller, session_id, content, kind, once), status_code=201)


@router.get(
    "", summary="List the candidates", response_model=CandidatePage, responses=problem_responses(UNKNOWN_SESSION)
)
async def get_candidates(
    request: Request, caller: Reader, session_id: SessionId, cursor: Cursor = None, limit: Limit = 50
) -> Any:
    """List the candidates of a session by name, those taken off the list too."""
    return await list_candidates(context_of(request), caller, session_id, cursor, limit)


@router.get(
    "/{candidate_id}",
    summary="Read a candidate",
    response_model=CandidateView,
    responses=problem_responses(UNKNOWN_SESSION, UNKNOWN_CANDIDATE),
)
async def get_candidate(request: Request, caller: Reader, session_id: SessionId, candidate_id: CandidateId) -> Any:
    """Read a candidate."""
    return await find_candidate(context_of(request), caller, session_id, candidate_id)


@router.patch(
    "/{candidate_id}",
    summary="Change a candidate",
    response_model=CandidateView,
    responses=problem_responses(
        INVALID_JSON, UNKNOWN_SESSION, UNKNOWN_CANDIDATE, NOT_NOW, BODY_TOO_LARGE, INVALID_REQUEST, NOT_FEASIBLE
    ),
)
async def patch_candidate(
    request: Request, caller: Admin, session_id: SessionId, candidate_id: CandidateId, change: CandidateChange
) -> Any:
    """Change names or accommodations before the test begins. What is left out, or null, stays."""
    return await change_candidate(context_of(request), caller, session_id, candidate_id, change)


@router.delete(
    "/{candidate_id}",
    status_code=204,
    summary="Take a candidate off the list",
    responses=problem_responses(UNKNOWN_SESSION, UNKNOWN_CANDIDATE, NOT_NOW),
)
async def delete_candidate(
    request: Request, caller: Admin, session_id: SessionId, candidate_id: CandidateId, why: Why = None
) -> Response:
    """Take a candidate whose test has not begun off the list; they may be enrolled again."""
    await remove_candidate(context_of(request), caller, session_id, candidate_id, why)
    return Response(status_code=204)


@of_learner.get(
    "/eligibility",
    summary="Say whether a learner may be certified",
    response_model=EligibilityView,
    responses=problem_responses(UNKNOWN_LEARNER),
)
async def get_eligibility(request: Request, caller: AdminReader, learner_id: LearnerId) -> Any:
    """Say whether a learner of the platform may sit a session held today, and which competences are missing if not."""
    return await learner_eligibility(context_of(request), caller, learner_id)
