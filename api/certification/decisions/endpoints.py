"""What is decided of a session under /v1/sessions: by the platform of the organisation and its administrators."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from api.certification.decisions import jury
from api.certification.decisions.evidence import evidence_view
from api.certification.decisions.finalise import GivenEnd, finalise
from api.certification.decisions.results import results_view
from api.certification.decisions.schemas import (
    EvidenceView,
    FinaliseRequest,
    ResultsView,
    ReviewRequest,
    SessionStateView,
    WhyRequest,
)
from api.certification.records import Session
from api.context import context_of
from api.errors import problem_responses
from api.identifiers import parsed_id
from api.oauth.scopes import CERTIFICATION_READ, CERTIFICATION_WRITE
from api.organisations.callers import Staff, staff
from api.problems import (
    BODY_TOO_LARGE,
    INVALID_JSON,
    INVALID_REQUEST,
    NOT_ALLOWED,
    NOT_NOW,
    UNAUTHENTICATED,
    UNKNOWN_CANDIDATE,
    UNKNOWN_SESSION,
)

router = APIRouter(
    prefix="/v1/sessions/{session_id}",
    tags=["decisions"],
    responses=problem_responses(UNAUTHENTICATED, NOT_ALLOWED, UNKNOWN_SESSION, INVALID_REQUEST),
)

SessionId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
CandidateId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
Reader = Annotated[Staff, Depends(staff(CERTIFICATION_READ, admin=True))]
Author = Annotated[Staff, Depends(staff(CERTIFICATION_WRITE, admin=True))]
_DECISION: dict[str, Any] = {
    "status_code": 204,
    "response_class": Response,
    "responses": problem_responses(INVALID_JSON, BODY_TOO_LARGE, UNKNOWN_SESSION, UNKNOWN_CANDIDATE, NOT_NOW),
}


@router.post(
    "/finalise",
    summary="Finalise a session",
    response_model=SessionStateView,
    responses=problem_responses(INVALID_JSON, BODY_TOO_LARGE, NOT_NOW),
)
async def post_finalise(
    request: Request, caller: Author, session_id: SessionId, body: FinaliseRequest | None = None
) -> Any:
    """End the tests still under way, for the reasons given, and decide on all; who did not start is absent."""
    given = {} if body is None else body.ends
    ends = {parsed_id(key) or key: GivenEnd(end.end, end.why) for key, end in given.items()}
    return _state(await finalise(context_of(request), caller, session_id, ends))


@router.post(
    "/publish", summary="Publish the outcomes", response_model=SessionStateView, responses=problem_responses(NOT_NOW)
)
async def post_publish(request: Request, caller: Author, session_id: SessionId) -> Any:
    """Publish what is not published yet, and issue the certificates."""
    return _state(await jury.publish(context_of(request), caller, session_id))


@router.get("/results", summary="Read what became of the candidates", response_model=ResultsView)
async def get_results(request: Request, caller: Reader, session_id: SessionId) -> Any:
    """Read the outcome of every candidate, with its reasons and the levels, in words."""
    context = context_of(request)
    return await context.read(partial(results_view, context, caller, session_id))


@router.get(
    "/candidates/{candidate_id}/evidence",
    summary="Read everything about a candidate",
    response_model=EvidenceView,
    responses=problem_responses(UNKNOWN_SESSION, UNKNOWN_CANDIDATE, NOT_NOW),
)
async def get_evidence(request: Request, caller: Reader, session_id: SessionId, candidate_id: CandidateId) -> Any:
    """Read the profile, every question with what was expected, the statistics, the incidents and the facts."""
    context = context_of(request)
    return await context.read(partial(evidence_view, context, caller, session_id, candidate_id))


@router.post("/candidates/{candidate_id}/review", summary="Decide as the jury", **_DECISION)
async def post_review(
    request: Request, caller: Author, session_id: SessionId, candidate_id: CandidateId, body: ReviewRequest
) -> None:
    """Decide on a test that is to be reviewed."""
    await jury.review(context_of(request), caller, session_id, candidate_id, body.outcome, body.why)


@router.post("/candidates/{candidate_id}/revoke", summary="Revoke a certificate", **_DECISION)
async def post_revoke(
    request: Request, caller: Author, session_id: SessionId, candidate_id: CandidateId, body: WhyRequest
) -> None:
    """Revoke the certificate of a candidate; the public check says so from now on."""
    await jury.revoke(context_of(request), caller, session_id, candidate_id, body.why)


@router.post("/candidates/{candidate_id}/rescore", summary="Score again", **_DECISION)
async def post_rescore(
    request: Request, caller: Author, session_id: SessionId, candidate_id: CandidateId, body: WhyRequest
) -> None:
    """Score the same answers with the calibration of the bank that is served now, as a new version."""
    await jury.rescore(context_of(request), caller, session_id, candidate_id, body.why)


def _state(session: Session) -> dict[str, str]:
    return {"id": session.id, "state": session.state}
