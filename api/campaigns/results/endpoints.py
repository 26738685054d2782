"""What was sent to campaigns, for platforms and the team of an organisation."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import StreamingResponse

from api.campaigns.results.exports import begin_export, document, table
from api.campaigns.results.group import comparison, group_results, progress_since
from api.campaigns.results.learner import learner_result
from api.campaigns.results.report import class_report
from api.campaigns.results.schemas import Comparison, GroupResults, LearnerResult, ProgressView
from api.context import context_of
from api.errors import problem_responses
from api.oauth.scopes import CAMPAIGNS_READ
from api.organisations.callers import Staff, teaching
from api.organisations.registrations.schemas import Division
from api.problems import (
    INVALID_REQUEST,
    NOT_ALLOWED,
    UNAUTHENTICATED,
    UNKNOWN_CAMPAIGN,
    UNKNOWN_PARTICIPATION,
)

_REFUSED = problem_responses(UNAUTHENTICATED, NOT_ALLOWED, INVALID_REQUEST)
router = APIRouter(prefix="/v1/campaigns/{campaign_id}", tags=["results"], responses=_REFUSED)
of_learner = APIRouter(prefix="/v1/participations", tags=["results"], responses=_REFUSED)

CampaignId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
ParticipationId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
Reader = Annotated[Staff, Depends(teaching(CAMPAIGNS_READ))]
UNKNOWN = problem_responses(UNKNOWN_CAMPAIGN)


@of_learner.get(
    "/{participation_id}/result",
    summary="Read what a learner sent",
    response_model=LearnerResult,
    responses=problem_responses(UNKNOWN_PARTICIPATION),
)
async def get_result(request: Request, caller: Reader, participation_id: ParticipationId) -> Any:
    """Read the levels that a learner sent, the change since the last campaign, and what to work on next."""
    return await learner_result(context_of(request), caller, participation_id)


@router.get("/results", summary="Read what a group sent", response_model=GroupResults, responses=UNKNOWN)
async def get_results(request: Request, caller: Reader, campaign_id: CampaignId, division: Division = None) -> Any:
    """Read levels, shares at the target, needs and topics of all who sent something, or of one class."""
    return await group_results(context_of(request), caller, campaign_id, division)


@router.get("/comparison", summary="Compare the classes", response_model=Comparison, responses=UNKNOWN)
async def get_comparison(request: Request, caller: Reader, campaign_id: CampaignId) -> Any:
    """Compare the classes in each competence, small ones read with the others."""
    return await comparison(context_of(request), caller, campaign_id)


@router.get("/progress", summary="Read the progress of a group", response_model=ProgressView, responses=UNKNOWN)
async def get_progress(
    request: Request,
    caller: Reader,
    campaign_id: CampaignId,
    since: Annotated[str, Query(description="Id of an earlier campaign of the organisation.")],
    division: Division = None,
) -> Any:
    """Read the mean change of the learners who sent something to both campaigns."""
    return await progress_since(context_of(request), caller, campaign_id, since, division)


@router.get(
    "/results.csv",
    summary="Export what was sent as a table",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}}, **UNKNOWN},
)
async def get_table(request: Request, caller: Reader, campaign_id: CampaignId, division: Division = None) -> Response:
    """Export a line for each learner: UTF-8 with its mark and semicolons, as French spreadsheets want."""
    context = context_of(request)
    campaign = await begin_export(context, caller, campaign_id, "csv")
    return attached(table(context, caller, campaign, division), "text/csv; charset=utf-8", "resultats.csv")


@router.get(
    "/results.json",
    summary="Export what was sent as JSON",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/json": {}}}, **UNKNOWN},
)
async def get_document(
    request: Request, caller: Reader, campaign_id: CampaignId, division: Division = None
) -> Response:
    """Export the campaign and every snapshot."""
    context = context_of(request)
    campaign = await begin_export(context, caller, campaign_id, "json")
    return attached(document(context, caller, campaign, division), "application/json", "resultats.json")


@router.get(
    "/report.pdf",
    summary="Print the report of a group",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}, **UNKNOWN},
)
async def get_report(request: Request, caller: Reader, campaign_id: CampaignId, division: Division = None) -> Response:
    """Print levels, shares, needs and topics of a group, in French, on A4."""
    name, content = await class_report(context_of(request), caller, campaign_id, division)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/pdf", headers=headers)


def attached(content: Any, kind: str, name: str) -> StreamingResponse:
    """Send a file while it is written."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(content, media_type=kind, headers=headers)
