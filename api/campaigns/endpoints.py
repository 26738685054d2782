"""/v1/campaigns, for platforms and the team of an organisation."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import JSONResponse

from api.campaigns.courses import list_courses
from api.campaigns.entering import enter_for
from api.campaigns.follow_up import follow_up, list_participations
from api.campaigns.schemas import (
    CampaignChange,
    CampaignPage,
    CampaignRequest,
    CampaignView,
    CourseList,
    Entered,
    FollowUp,
    ParticipantPage,
    PlatformEntryRequest,
)
from api.campaigns.service import alter_campaign, archive_campaign, create_campaign, find_campaign, list_campaigns
from api.campaigns.views import entered_view
from api.context import context_of
from api.errors import problem_responses
from api.idempotency import IdempotencyKey
from api.oauth.access import platform
from api.oauth.scopes import CAMPAIGNS_READ, CAMPAIGNS_WRITE
from api.oauth.tokens import Platform
from api.organisations.callers import Staff, teaching
from api.organisations.keyed import once_for
from api.organisations.registrations.schemas import Division
from api.pagination import Cursor, Limit
from api.problems import (
    BODY_TOO_LARGE,
    INVALID_JSON,
    INVALID_REQUEST,
    KEY_REUSED,
    NOT_ALLOWED,
    NOT_NOW,
    NOT_ON_THE_LIST,
    UNAUTHENTICATED,
    UNKNOWN_CAMPAIGN,
    UNKNOWN_LEARNER,
    UNKNOWN_ORGANISATION,
)

_REFUSED = problem_responses(UNAUTHENTICATED, NOT_ALLOWED, INVALID_REQUEST)
of_organisation = APIRouter(
    prefix="/v1/organisations/{organisation_id}/campaigns", tags=["campaigns"], responses=_REFUSED
)
router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"], responses=_REFUSED)
courses = APIRouter(prefix="/v1/courses", tags=["campaigns"])

OrganisationId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
CampaignId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
Reader = Annotated[Staff, Depends(teaching(CAMPAIGNS_READ))]
Author = Annotated[Staff, Depends(teaching(CAMPAIGNS_WRITE))]


@courses.get("", summary="List ready-made courses", response_model=CourseList)
async def get_courses(request: Request) -> Any:
    """List the start-of-year courses of the bank, from which campaigns are made."""
    return list_courses(context_of(request))


@of_organisation.post(
    "",
    status_code=201,
    summary="Create a campaign",
    response_model=CampaignView,
    responses=problem_responses(INVALID_JSON, UNKNOWN_ORGANISATION, BODY_TOO_LARGE, INVALID_REQUEST, KEY_REUSED),
)
async def post_campaign(
    request: Request,
    caller: Author,
    organisation_id: OrganisationId,
    order: CampaignRequest,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Make a campaign from a course or freely; it has a code and a link for the learners at once."""
    context = context_of(request)
    once = await once_for(context, caller, organisation_id, "campaigns", idempotency_key, order.model_dump_json())
    made = await create_campaign(context, caller, organisation_id, order, once)
    return JSONResponse(made, status_code=201, headers={"Location": f"/v1/campaigns/{made['id']}"})


@of_organisation.get(
    "",
    summary="List the campaigns of an organisation",
    response_model=CampaignPage,
    responses=problem_responses(UNKNOWN_ORGANISATION),
)
async def get_campaigns(
    request: Request, caller: Reader, organisation_id: OrganisationId, cursor: Cursor = None, limit: Limit = 50
) -> Any:
    """List the campaigns of an organisation, the latest first."""
    return await list_campaigns(context_of(request), caller, organisation_id, cursor, limit)


@router.get(
    "/{campaign_id}",
    summary="Read a campaign",
    response_model=CampaignView,
    responses=problem_responses(UNKNOWN_CAMPAIGN),
)
async def get_campaign(request: Request, caller: Reader, campaign_id: CampaignId) -> Any:
    """Read a campaign."""
    return await find_campaign(context_of(request), caller, campaign_id)


@router.patch(
    "/{campaign_id}",
    summary="Change a campaign",
    response_model=CampaignView,
    responses=problem_responses(INVALID_JSON, UNKNOWN_CAMPAIGN, BODY_TOO_LARGE, INVALID_REQUEST, NOT_NOW),
)
async def patch_campaign(request: Request, caller: Author, campaign_id: CampaignId, order: CampaignChange) -> Any:
    """Change a campaign; once somebody entered it, its title, its text and its closing alone."""
    return await alter_campaign(context_of(request), caller, campaign_id, order)


@router.post(
    "/{campaign_id}/archive",
    summary="Archive a campaign",
    response_model=CampaignView,
    responses=problem_responses(UNKNOWN_CAMPAIGN),
)
async def post_archive(request: Request, caller: Author, campaign_id: CampaignId) -> Any:
    """Freeze a campaign before its day: nobody begins or sends any more, and what was sent stays."""
    return await archive_campaign(context_of(request), caller, campaign_id)


@router.get(
    "/{campaign_id}/follow-up",
    summary="Count who has started, finished and sent",
    response_model=FollowUp,
    responses=problem_responses(UNKNOWN_CAMPAIGN),
)
async def get_follow_up(request: Request, caller: Reader, campaign_id: CampaignId) -> Any:
    """Count the learners who have started, finished and sent, in all and by class."""
    return await follow_up(context_of(request), caller, campaign_id)


@router.get(
    "/{campaign_id}/participations",
    summary="List who takes part",
    response_model=ParticipantPage,
    responses=problem_responses(UNKNOWN_CAMPAIGN),
)
async def get_participations(
    request: Request,
    caller: Reader,
    campaign_id: CampaignId,
    division: Division = None,
    state: Annotated[
        Literal["absent", "entered", "started", "finished", "sent"] | None,
        Query(description="Those in this state alone; absent are those of the list who have not entered."),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Any:
    """List the learners of a campaign and how far each is; nothing of their results."""
    return await list_participations(context_of(request), caller, campaign_id, cursor, limit, division, state)


@router.post(
    "/{campaign_id}/participations",
    status_code=201,
    summary="Let one of the platform's learners in",
    response_model=Entered,
    responses={
        200: {"model": Entered, "description": "The learner is in already"},
        **problem_responses(
            INVALID_JSON,
            UNKNOWN_CAMPAIGN,
            UNKNOWN_LEARNER,
            NOT_ON_THE_LIST,
            BODY_TOO_LARGE,
            INVALID_REQUEST,
            NOT_NOW,
        ),
    },
)
async def post_participation_for(
    request: Request,
    caller: Annotated[Platform, Depends(platform(CAMPAIGNS_WRITE))],
    campaign_id: CampaignId,
    order: PlatformEntryRequest,
) -> Response:
    """Let a learner whom the platform knows into a campaign, or back in."""
    context = context_of(request)
    entry = await enter_for(context, caller, campaign_id, order)
    return JSONResponse(entered_view(context, entry), status_code=201 if entry.new else 200)
