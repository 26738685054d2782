"""What a group sent, for its teachers: needs, levels, classes compared, progress, and the files."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.campaigns.follow_up import list_participations
from api.campaigns.results.endpoints import attached
from api.campaigns.results.exports import begin_export, document, table
from api.campaigns.results.group import comparison, group_results, progress_since
from api.campaigns.results.report import class_report
from api.campaigns.service import find_campaign, list_campaigns
from api.context import Context, context_of
from api.organisations.records import Member
from api.organisations.registrations.names import compared
from api.organisations.registrations.schemas import ShownDivision
from api.pages.certification.doors import own_teacher
from api.pages.page import page
from api.pages.results.campaigns import dated
from api.pages.results.pictures import Scale, level_bar, level_scale, share_scale
from itembank.framework import Framework

router = APIRouter(include_in_schema=False)
Teacher = Annotated[Member, Depends(own_teacher)]

_PEOPLE: Final = 200
_OTHERS: Final = 50
_CHANGE: Final = Scale(-1.5, 1.5, (("–1", 60.0), ("0", 180.0), ("+1", 300.0)))
"""Axis of a mean change of ability."""


@router.get("/team/campaigns/{campaign_id}/results")
async def results(
    request: Request,
    campaign_id: str,
    member: Teacher,
    division: ShownDivision = "",
    since: str = "",
    competence: str = "",
) -> Response:
    """Show what a group sent."""
    context = context_of(request)
    campaign = await find_campaign(context, member, campaign_id)
    told = await group_results(context, member, campaign_id, division or None)
    framework = context.served.framework
    others = await list_campaigns(context, member, member.organisation_id, None, _OTHERS)
    comparable = [one for one in others["items"] if one["id"] != campaign["id"] and one["kind"] != "collection"]
    code = competence if competence in campaign["competences"] else _first(told, campaign)
    found = await list_participations(context, member, campaign_id, None, _PEOPLE, division or None, "sent")
    people = sorted(found["items"], key=lambda one: (compared(one["last_name"]), compared(one["first_name"])))
    return page(
        request,
        "results/group.html",
        member=member,
        campaign=dated(request, campaign),
        told=told,
        division=division,
        framework=framework,
        needs=_needs(told),
        rows=[_row(framework, entry) for entry in told["competences"]],
        shares=share_scale(),
        classes=await _classes(context, member, campaign, code, len(told["divisions"])),
        code=code,
        progress=await _progress(context, member, campaign_id, since, division),
        change=_CHANGE,
        comparable=comparable,
        since=since,
        people=people,
        more=found["next"] is not None,
        topics=[_topic(framework, entry) for entry in told["topics"]],
    )


@router.get("/team/campaigns/{campaign_id}/results.csv")
async def as_table(request: Request, campaign_id: str, member: Teacher, division: ShownDivision = "") -> Response:
    """Send the table for spreadsheets."""
    context = context_of(request)
    campaign = await begin_export(context, member, campaign_id, "csv")
    content = table(context, member, campaign, division or None)
    return attached(content, "text/csv; charset=utf-8", "resultats.csv")


@router.get("/team/campaigns/{campaign_id}/results.json")
async def as_document(request: Request, campaign_id: str, member: Teacher, division: ShownDivision = "") -> Response:
    """Send everything as JSON."""
    context = context_of(request)
    campaign = await begin_export(context, member, campaign_id, "json")
    return attached(document(context, member, campaign, division or None), "application/json", "resultats.json")


@router.get("/team/campaigns/{campaign_id}/report.pdf")
async def as_report(request: Request, campaign_id: str, member: Teacher, division: ShownDivision = "") -> Response:
    """Send the printable report."""
    name, content = await class_report(context_of(request), member, campaign_id, division or None)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/pdf", headers=headers)


def _first(told: Mapping[str, Any], campaign: Mapping[str, Any]) -> str:
    """Competence shown first: that of the greatest need."""
    codes: Sequence[str] = told["needs"] or campaign["competences"]
    return codes[0]


def _needs(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries = {entry["competence"]: entry for entry in told["competences"]}
    return [entries[code] for code in told["needs"]]


def _row(framework: Framework, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Draw one competence: its levels as a bar, and the share at the target as a dot with its interval."""
    share = entry["share"]
    return {
        **entry,
        "title": framework.competences[framework.index(entry["competence"])].title,
        "bar": level_bar(entry["levels"], entry["target"]) if sum(entry["levels"]) else None,
        "dot": None if share is None else share_scale().dot(share["lower"], share["estimate"], share["upper"]),
    }


def _topic(framework: Framework, entry: Mapping[str, Any]) -> dict[str, Any]:
    competence = framework.competences[framework.index(entry["competence"])]
    return {**entry, "title": competence.topic(entry["topic"]).title}


async def _classes(
    context: Context, member: Member, campaign: Mapping[str, Any], code: str, divisions: int
) -> dict[str, Any] | None:
    """Compare the classes in one competence, where there are several; profiles collected are not compared."""
    if divisions < 2 or campaign["kind"] == "collection":
        return None
    found = await comparison(context, member, campaign["id"])
    entry = next(one for one in found["competences"] if one["competence"] == code)
    framework = context.served.framework
    scale = level_scale(framework.cuts[framework.index(code)])
    rows = [
        {**one, "dot": scale.dot(one["lower"], one["mean"], one["upper"], one["raw"])}
        for one in entry["classes"]
        if one["mean"] is not None
    ]
    return {**entry, "classes": rows, "scale": scale} if rows else None


async def _progress(
    context: Context, member: Member, campaign_id: str, since: str, division: str
) -> dict[str, Any] | None:
    if not since or since == campaign_id:
        return None
    found = await progress_since(context, member, campaign_id, since, division or None)
    rows = [
        {**entry, "dot": None if entry["mean"] is None else _CHANGE.dot(entry["lower"], entry["mean"], entry["upper"])}
        for entry in found["competences"]
    ]
    return {**found, "competences": rows}
