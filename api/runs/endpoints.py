"""/v1/runs."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic_core import to_json
from starlette.responses import JSONResponse

from api.body import json_body
from api.context import context_of
from api.errors import problem_responses
from api.idempotency import IdempotencyKey, Once
from api.oauth.access import caller_of, platform, platform_or_learner
from api.oauth.scopes import RUNS_READ, RUNS_WRITE
from api.oauth.tokens import Caller, Platform
from api.problems import (
    ALREADY_ANSWERED,
    BODY_TOO_LARGE,
    INVALID_ANSWER,
    INVALID_JSON,
    INVALID_REQUEST,
    KEY_REUSED,
    NOT_ALLOWED,
    NOT_PENDING,
    NOTHING_TO_ASK,
    RUN_FINISHED,
    UNAUTHENTICATED,
    UNKNOWN_COMPETENCE,
    UNKNOWN_KIND,
    UNKNOWN_LEARNER,
    UNKNOWN_RUN,
)
from api.runs.answer import Reply, post_reply
from api.runs.lookup import current_run, run_for
from api.runs.schemas import AnswerRequest, AnswerView, OpenedRun, RunRequest, RunView
from api.runs.start import Order, open_run
from api.runs.view import run_view

router = APIRouter(
    prefix="/v1/runs",
    tags=["runs"],
    responses=problem_responses(UNAUTHENTICATED, NOT_ALLOWED, INVALID_REQUEST),
)

_ANSWER: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/AnswerRequest"}}},
    },
    "parameters": [{"name": "run_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}],
    "security": [{"platform": [RUNS_WRITE]}, {"learner": []}],
}
"""What the signature would say: on this path, the hot one, the endpoint reads the request itself."""

RunId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]


@router.post(
    "/{run_id}/answers",
    summary="Answer the pending item, or skip it",
    response_model=AnswerView,
    responses=problem_responses(
        INVALID_JSON,
        UNKNOWN_RUN,
        NOT_PENDING,
        ALREADY_ANSWERED,
        RUN_FINISHED,
        BODY_TOO_LARGE,
        INVALID_REQUEST,
        INVALID_ANSWER,
        UNKNOWN_KIND,
    ),
    openapi_extra=_ANSWER,
)
async def post_answer(request: Request) -> Response:
    """Store a reply; the answer comes once it is on disk. The same reply sent again gets the same answer."""
    context = context_of(request)
    live = await run_for(context, request.path_params["run_id"], await caller_of(request, RUNS_WRITE))
    answer = await json_body(request, AnswerRequest)
    reply = Reply(
        answer.position, answer.item, answer.answer, answer.skipped, answer.timed_out, answer.seconds, answer.kind
    )
    return Response(to_json(await post_reply(context, live.run.id, reply)), media_type="application/json")


@router.post(
    "",
    status_code=201,
    summary="Open a run",
    response_model=OpenedRun,
    responses=problem_responses(
        INVALID_JSON,
        UNKNOWN_LEARNER,
        BODY_TOO_LARGE,
        INVALID_REQUEST,
        UNKNOWN_COMPETENCE,
        NOTHING_TO_ASK,
        KEY_REUSED,
    ),
)
async def post_run(
    request: Request,
    caller: Annotated[Platform, Depends(platform(RUNS_WRITE))],
    order: RunRequest,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Open a positioning run for one of the platform's learners and ask its first item."""
    wanted = Order(
        competences=None if order.competences is None else tuple(order.competences),
        locale=order.locale,
        accessible=tuple(sorted(set(order.accessible))),
        length=order.length,
        seed=order.seed,
    )
    once = Once.of(caller.client_id, "runs", idempotency_key, order.model_dump_json())
    opened = await open_run(context_of(request), caller.client_id, order.learner_id, wanted, once)
    body = {**run_view(opened.live), "learner_token": opened.token}
    return JSONResponse(body, status_code=201, headers={"Location": f"/v1/runs/{opened.live.run.id}"})


@router.get("/{run_id}", summary="Read a run", response_model=RunView, responses=problem_responses(UNKNOWN_RUN))
async def get_run(
    request: Request, caller: Annotated[Caller, Depends(platform_or_learner(RUNS_READ))], run_id: RunId
) -> Response:
    """Read where a run stands: the pending item, the progress, and the result once it is finished."""
    context = context_of(request)
    live = await run_for(context, run_id, caller)
    return JSONResponse(run_view(await current_run(context, live.run.id)))
