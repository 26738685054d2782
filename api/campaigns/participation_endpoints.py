"""/v1/participations, for learners."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.responses import JSONResponse

from api.addresses import address_of
from api.campaigns.callers import Participant, participant
from api.campaigns.entering import door, enter
from api.campaigns.schemas import (
    CampaignDoor,
    Entered,
    EntryRequest,
    ParticipationView,
    Sent,
    Started,
    StartRequest,
)
from api.campaigns.sending import send
from api.campaigns.taking import find, start, try_again
from api.campaigns.views import door_view, entered_view, participation_view, sent_view
from api.context import context_of
from api.errors import problem_responses
from api.problems import (
    BODY_TOO_LARGE,
    INVALID_JSON,
    INVALID_REQUEST,
    NOT_ALLOWED,
    NOT_NOW,
    NOT_ON_THE_LIST,
    NOTHING_TO_ASK,
    SEVERAL_MATCH,
    TOO_MANY_REQUESTS,
    UNAUTHENTICATED,
    UNKNOWN_CODE,
    UNKNOWN_PARTICIPATION,
)
from api.runs.view import run_view

doors = APIRouter(prefix="/v1/campaign-codes", tags=["participations"])
entries = APIRouter(prefix="/v1/participations", tags=["participations"])
router = APIRouter(
    prefix="/v1/participations", tags=["participations"], responses=problem_responses(UNAUTHENTICATED, NOT_ALLOWED)
)

Caller = Annotated[Participant, Depends(participant)]
ParticipationId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]


@doors.get(
    "/{code}",
    summary="Read what a code opens",
    response_model=CampaignDoor,
    responses=problem_responses(UNKNOWN_CODE, INVALID_REQUEST, TOO_MANY_REQUESTS),
)
async def get_door(request: Request, code: Annotated[str, Path(max_length=40)]) -> Any:
    """Read what a learner may know of a campaign before they enter: no token is needed, only the code."""
    context = context_of(request)
    return door_view(context, *await door(context, code, address_of(request)))


@entries.post(
    "",
    status_code=201,
    summary="Enter a campaign",
    response_model=Entered,
    responses={
        200: {"model": Entered, "description": "The learner is in already"},
        **problem_responses(
            INVALID_JSON,
            UNKNOWN_CODE,
            NOT_ON_THE_LIST,
            SEVERAL_MATCH,
            NOT_NOW,
            BODY_TOO_LARGE,
            INVALID_REQUEST,
            TOO_MANY_REQUESTS,
        ),
    },
)
async def post_participation(request: Request, order: EntryRequest) -> Response:
    """Let in somebody who has the code and says who they are; a learner of the list comes back to where they were."""
    context = context_of(request)
    entry = await enter(context, order, address_of(request))
    return JSONResponse(entered_view(context, entry), status_code=201 if entry.new else 200)


@router.get(
    "/{participation_id}",
    summary="Read a participation",
    response_model=ParticipationView,
    responses=problem_responses(UNKNOWN_PARTICIPATION),
)
async def get_participation(request: Request, caller: Caller, participation_id: ParticipationId) -> Any:
    """Read how far one's own participation is."""
    context = context_of(request)
    return participation_view(context, await find(context, caller, participation_id))


@router.post(
    "/{participation_id}/start",
    summary="Begin the test, or go on with it",
    response_model=Started,
    responses=problem_responses(
        INVALID_JSON, UNKNOWN_PARTICIPATION, NOT_NOW, BODY_TOO_LARGE, INVALID_REQUEST, NOTHING_TO_ASK
    ),
)
async def post_start(
    request: Request, caller: Caller, participation_id: ParticipationId, order: StartRequest | None = None
) -> Response:
    """Open the run of a participation; sent again, it gives the run as it was opened, and its token."""
    context = context_of(request)
    begun = await start(context, caller, participation_id, tuple((order or StartRequest()).accessible))
    run = {**run_view(begun.opened.live), "learner_token": begun.opened.token}
    return JSONResponse({**participation_view(context, begun.entry), "run": run})


@router.post(
    "/{participation_id}/attempts",
    summary="Try again",
    response_model=Entered,
    responses=problem_responses(UNKNOWN_PARTICIPATION, NOT_NOW),
)
async def post_attempt(request: Request, caller: Caller, participation_id: ParticipationId) -> Any:
    """Begin another attempt, where the campaign allows several: a participation of its own, with its token."""
    context = context_of(request)
    return entered_view(context, await try_again(context, caller, participation_id))


@router.post(
    "/{participation_id}/send",
    summary="Send the results",
    response_model=Sent,
    responses=problem_responses(UNKNOWN_PARTICIPATION, NOT_NOW),
)
async def post_send(request: Request, caller: Caller, participation_id: ParticipationId) -> Any:
    """Show the results to the team of the campaign, as they are now: nothing was visible to it before."""
    context = context_of(request)
    return sent_view(context, await send(context, caller, participation_id))
