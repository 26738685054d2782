"""/v1/learners."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import JSONResponse

from api.context import context_of
from api.errors import problem_responses
from api.idempotency import IdempotencyKey, Once
from api.learners.schemas import ExternalId, LearnerPage, LearnerRequest, LearnerView, Profile
from api.learners.service import create_learner, find_learner, learner_view, list_learners, list_runs, profile_of
from api.oauth.access import platform
from api.oauth.scopes import LEARNERS_READ, LEARNERS_WRITE
from api.oauth.tokens import Platform
from api.pagination import Cursor, Limit
from api.problems import (
    BODY_TOO_LARGE,
    INVALID_JSON,
    INVALID_REQUEST,
    KEY_REUSED,
    NOT_ALLOWED,
    UNAUTHENTICATED,
    UNKNOWN_LEARNER,
)
from api.runs.schemas import RunPage

router = APIRouter(
    prefix="/v1/learners",
    tags=["learners"],
    responses=problem_responses(UNAUTHENTICATED, NOT_ALLOWED, INVALID_REQUEST),
)

LearnerId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
Reader = Annotated[Platform, Depends(platform(LEARNERS_READ))]
Author = Annotated[Platform, Depends(platform(LEARNERS_WRITE))]


@router.post(
    "",
    status_code=201,
    summary="Create a learner",
    response_model=LearnerView,
    responses={
        200: {"model": LearnerView, "description": "The platform has a learner of this external_id already"},
        **problem_responses(INVALID_JSON, BODY_TOO_LARGE, INVALID_REQUEST, KEY_REUSED),
    },
)
async def post_learner(
    request: Request, caller: Author, order: LearnerRequest, idempotency_key: IdempotencyKey = None
) -> Response:
    """Create a learner; an external_id that the platform used before gives the learner who has it."""
    once = Once.of(caller.client_id, "learners", idempotency_key, order.model_dump_json())
    learner, new = await create_learner(context_of(request), caller.client_id, order.external_id, once)
    return JSONResponse(
        learner_view(learner), status_code=201 if new else 200, headers={"Location": f"/v1/learners/{learner.id}"}
    )


@router.get("", summary="List learners", response_model=LearnerPage)
async def get_learners(
    request: Request,
    caller: Reader,
    external_id: Annotated[ExternalId | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Any:
    """List the platform's learners, the oldest first."""
    return await list_learners(context_of(request), caller.client_id, external_id, cursor, limit)


@router.get(
    "/{learner_id}",
    summary="Read a learner",
    response_model=LearnerView,
    responses=problem_responses(UNKNOWN_LEARNER),
)
async def get_learner(request: Request, caller: Reader, learner_id: LearnerId) -> Any:
    """Read one of the platform's learners."""
    return learner_view(await find_learner(context_of(request), caller.client_id, learner_id))


@router.get(
    "/{learner_id}/profile",
    summary="Read a learner's profile",
    response_model=Profile,
    responses=problem_responses(UNKNOWN_LEARNER),
)
async def get_profile(request: Request, caller: Reader, learner_id: LearnerId) -> Any:
    """Read the level of every competence, with its uncertainty, as the latest finished run told it."""
    return await profile_of(context_of(request), caller.client_id, learner_id)


@router.get(
    "/{learner_id}/runs",
    summary="List a learner's runs",
    response_model=RunPage,
    responses=problem_responses(UNKNOWN_LEARNER),
)
async def get_runs(
    request: Request, caller: Reader, learner_id: LearnerId, cursor: Cursor = None, limit: Limit = 50
) -> Any:
    """List the runs of one of the platform's learners, the latest first."""
    return await list_runs(context_of(request), caller.client_id, learner_id, cursor, limit)
