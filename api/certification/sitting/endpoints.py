"""/v1/session-entries, /v1/sitting, and what the invigilator does to candidates under /v1/sessions."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic_core import to_json
from starlette.responses import JSONResponse

from api.addresses import address_of
from api.body import json_body
from api.certification.callers import Sitter, sitter
from api.certification.sitting import invigilate, service
from api.certification.sitting.schemas import (
    AuthoriseRequest,
    DecisionRequest,
    EndRequest,
    EndTestRequest,
    EntryRequest,
    EntryView,
    PauseRequest,
    ReportRequest,
    RoomView,
    SittingView,
)
from api.context import context_of
from api.errors import problem_responses
from api.oauth.scopes import CERTIFICATION_READ, CERTIFICATION_WRITE
from api.organisations.callers import Staff, staff
from api.problems import (
    ALREADY_ANSWERED,
    BODY_TOO_LARGE,
    CLOCK_STANDS,
    INVALID_ANSWER,
    INVALID_JSON,
    INVALID_REQUEST,
    NOT_ALLOWED,
    NOT_ELIGIBLE,
    NOT_NOW,
    NOT_PENDING,
    NOTHING_TO_ASK,
    RUN_FINISHED,
    TIME_IS_UP,
    TOO_MANY_REQUESTS,
    UNAUTHENTICATED,
    UNKNOWN_CANDIDATE,
    UNKNOWN_KIND,
    UNKNOWN_SESSION,
)
from api.runs.answer import Reply
from api.runs.schemas import AnswerRequest, AnswerView

_BODY = (INVALID_JSON, BODY_TOO_LARGE, INVALID_REQUEST)

entries = APIRouter(prefix="/v1/session-entries", tags=["sitting"])
sitting = APIRouter(prefix="/v1/sitting", tags=["sitting"], responses=problem_responses(UNAUTHENTICATED))
room = APIRouter(
    prefix="/v1/sessions/{session_id}",
    tags=["room"],
    responses=problem_responses(UNAUTHENTICATED, NOT_ALLOWED, UNKNOWN_SESSION, INVALID_REQUEST),
)

_ANSWER: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/AnswerRequest"}}},
    },
    "security": [{"candidate": []}],
}
"""What the signature would say: this endpoint reads the request itself, as that of positioning runs."""

Device = Annotated[Sitter, Depends(sitter)]
Reader = Annotated[Staff, Depends(staff(CERTIFICATION_READ))]
Invigilator = Annotated[Staff, Depends(staff(CERTIFICATION_WRITE))]
SessionId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
CandidateId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]


@entries.post(
    "",
    status_code=201,
    summary="Come in: the code of the session, and who one is",
    response_model=EntryView,
    responses=problem_responses(*_BODY, UNKNOWN_CANDIDATE, NOT_NOW, TIME_IS_UP, TOO_MANY_REQUESTS),
)
async def post_entry(request: Request, body: EntryRequest) -> Response:
    """Give this device a token; it then waits for the invigilator. The same refusal meets whatever does not match."""
    entered = await service.enter(
        context_of(request), body.code, body.first_name, body.last_name, body.birth_date, address_of(request)
    )
    return JSONResponse(vars(entered), status_code=201)


@sitting.get("", summary="Read where one's test stands", response_model=SittingView)
async def get_sitting(request: Request, device: Device) -> Response:
    """Read the clock, the pending item and what to do."""
    return await _sitting(request, device)


@sitting.post(
    "/start",
    summary="Start the test on the authorised device",
    response_model=SittingView,
    responses=problem_responses(NOT_NOW, TIME_IS_UP, NOT_ELIGIBLE, NOTHING_TO_ASK),
)
async def post_start(request: Request, device: Device) -> Response:
    """Ask the first item and start the clock. Sent again, nothing more happens."""
    await service.start(context_of(request), device)
    return await _sitting(request, device)


@sitting.post(
    "/return",
    summary="Go on with the test on another, authorised device",
    response_model=SittingView,
    responses=problem_responses(NOT_NOW, TIME_IS_UP),
)
async def post_return(request: Request, device: Device) -> Response:
    """Go on at the pending item; the token of the device in use until then is refused from now on."""
    await service.come_back(context_of(request), device)
    return await _sitting(request, device)


@sitting.post(
    "/answers",
    summary="Answer the pending item, or skip it",
    response_model=AnswerView,
    responses=problem_responses(
        *_BODY,
        NOT_NOW,
        CLOCK_STANDS,
        TIME_IS_UP,
        NOT_PENDING,
        ALREADY_ANSWERED,
        RUN_FINISHED,
        INVALID_ANSWER,
        UNKNOWN_KIND,
    ),
    openapi_extra=_ANSWER,
)
async def post_sitting_answer(request: Request, device: Device) -> Response:
    """Store a reply; the answer comes once it is on disk. The same reply sent again gets the same answer."""
    body = await json_body(request, AnswerRequest)
    reply = Reply(body.position, body.item, body.answer, body.skipped, body.timed_out, kind=body.kind)
    told = await service.answer(context_of(request), device, reply)
    return Response(to_json(told), media_type="application/json")


@sitting.post(
    "/reports",
    summary="Report a problem with the pending item",
    response_model=SittingView,
    responses=problem_responses(*_BODY, NOT_NOW, NOT_PENDING, CLOCK_STANDS, TIME_IS_UP),
)
async def post_report(request: Request, device: Device, body: ReportRequest) -> Response:
    """Stop the clock until the invigilator accepts or dismisses the problem. Sent again, nothing more happens."""
    await service.report(context_of(request), device, body.position, body.item, body.why)
    return await _sitting(request, device)


@sitting.post(
    "/end",
    summary="End the test",
    response_model=SittingView,
    responses=problem_responses(*_BODY, NOT_NOW, TIME_IS_UP),
)
async def post_end(request: Request, device: Device, body: EndRequest) -> Response:
    """End the test before its time: what was answered counts. Sent again, nothing more happens."""
    await service.leave(context_of(request), device)
    return await _sitting(request, device)


@room.get("/room", summary="See everybody in the room", response_model=RoomView)
async def get_room(request: Request, caller: Reader, session_id: SessionId) -> Response:
    """See who waits, who answers, whose clock stands and who reported a problem."""
    return JSONResponse(await invigilate.room_view(context_of(request), caller, session_id))


def _action(name: str, summary: str) -> dict[str, Any]:
    return {
        "path": f"/candidates/{{candidate_id}}/{name}",
        "summary": summary,
        "response_model": RoomView,
        "responses": problem_responses(*_BODY, UNKNOWN_SESSION, UNKNOWN_CANDIDATE, NOT_NOW, TIME_IS_UP),
    }


@room.post(**_action("authorise", "Let the device that waits start, or go on"))
async def post_authorise(
    request: Request, caller: Invigilator, session_id: SessionId, candidate_id: CandidateId, body: AuthoriseRequest
) -> Response:
    """Authorise the device for as long as the rules say."""
    await invigilate.authorise(context_of(request), caller, session_id, candidate_id, body.device)
    return await _room(request, caller, session_id)


@room.post(**_action("pause", "Pause a test"))
async def post_pause(
    request: Request, caller: Invigilator, session_id: SessionId, candidate_id: CandidateId, body: PauseRequest
) -> Response:
    """Stop the clock, and hide the item."""
    await invigilate.pause(context_of(request), caller, session_id, candidate_id, body.why)
    return await _room(request, caller, session_id)


@room.post(**_action("resume", "Let a paused test go on"))
async def post_resume(
    request: Request, caller: Invigilator, session_id: SessionId, candidate_id: CandidateId, body: PauseRequest
) -> Response:
    """Let the clock run again."""
    await invigilate.resume(context_of(request), caller, session_id, candidate_id, body.why)
    return await _room(request, caller, session_id)


@room.post(**_action("accept", "Accept a reported problem"))
async def post_accept(
    request: Request, caller: Invigilator, session_id: SessionId, candidate_id: CandidateId, body: DecisionRequest
) -> Response:
    """Withdraw the item with its topic, and give back the time spent on it."""
    await invigilate.accept(context_of(request), caller, session_id, candidate_id, body.why)
    return await _room(request, caller, session_id)


@room.post(**_action("dismiss", "Dismiss a reported problem"))
async def post_dismiss(
    request: Request, caller: Invigilator, session_id: SessionId, candidate_id: CandidateId, body: DecisionRequest
) -> Response:
    """Let the same item wait for its answer again; its clock goes on."""
    await invigilate.dismiss(context_of(request), caller, session_id, candidate_id, body.why)
    return await _room(request, caller, session_id)


@room.post(**_action("end", "End a test"))
async def post_end_test(
    request: Request, caller: Invigilator, session_id: SessionId, candidate_id: CandidateId, body: EndTestRequest
) -> Response:
    """End a test for a technical reason, or by decision; what was answered is kept."""
    await invigilate.end_test(context_of(request), caller, session_id, candidate_id, body.end, body.why)
    return await _room(request, caller, session_id)


async def _sitting(request: Request, device: Sitter) -> Response:
    return JSONResponse(await service.sitting_view(context_of(request), device))


async def _room(request: Request, caller: Staff, session_id: str) -> Response:
    return JSONResponse(await invigilate.room_view(context_of(request), caller, session_id))
