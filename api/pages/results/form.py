"""Making a campaign, from a course or freely, and changing it."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.responses import Response

from api.campaigns.follow_up import list_participations
from api.campaigns.schemas import CampaignChange, CampaignRequest
from api.campaigns.service import CHANGEABLE, alter_campaign, create_campaign, find_campaign
from api.context import Context, context_of
from api.organisations.records import Member
from api.pages.certification.doors import own_teacher
from api.pages.certification.moments import local
from api.pages.certification.refusals import refusal
from api.pages.drawn import drawn_key, once_of
from api.pages.origin import from_our_pages
from api.pages.page import go, page, words_for
from api.problems import INVALID_REQUEST, NOT_NOW, Problem
from itembank.framework import title

router = APIRouter(include_in_schema=False)
Teacher = Annotated[Member, Depends(own_teacher)]
Typed = dict[str, Any]

TEXTS: Final = ("kind", "title", "text", "course", "opens", "closes", "skip", "restricted", "external_id_label")
ORDER: Final = ("kind", "title", "text", "opens", "closes", "competences", "skip", "external_id_label")
"""Fields in the order of the page: the first one that is wrong is where the reader is taken."""
YES, NO = "yes", "no"
_LONGEST: Final = 4_100


@router.get("/team/campaigns/new")
async def new(request: Request, member: Teacher, course: str = "") -> Response:
    """Show the form of a new campaign; a link may name a course, which fills it in."""
    return await _form(request, member, _begun(request, course))


@router.post("/team/campaigns/new", dependencies=[Depends(from_our_pages)])
async def create(request: Request, member: Teacher) -> Response:
    """Make a campaign."""
    async with request.form(max_files=0, max_fields=300) as form:
        typed = _typed(form)
    context = context_of(request)
    values, faults = _values(context, typed)
    order = None
    try:
        order = CampaignRequest(**values)
    except ValidationError as error:
        faults |= _named(error)
    if order is None or faults:
        return await _form(request, member, typed, faults=faults, status=422)
    try:
        text = order.model_dump_json()
        once = await once_of(request, member, member.organisation_id, "campaigns", form, text)
        made = await create_campaign(context, member, member.organisation_id, order, once)
    except Problem as problem:
        return await _form(request, member, typed, problem=_suitable(problem), status=problem.status_code)
    return go(f"/team/campaigns/{made['id']}?said=created")


@router.get("/team/campaigns/{campaign_id}/edit")
async def edit(request: Request, campaign_id: str, member: Teacher) -> Response:
    """Show the form of a campaign."""
    campaign = await find_campaign(context_of(request), member, campaign_id)
    return await _form(request, member, _of(request, campaign), campaign)


@router.post("/team/campaigns/{campaign_id}/edit", dependencies=[Depends(from_our_pages)])
async def change(request: Request, campaign_id: str, member: Teacher) -> Response:
    """Change a campaign; once somebody entered, what may still change."""
    context = context_of(request)
    campaign = await find_campaign(context, member, campaign_id)
    async with request.form(max_files=0, max_fields=300) as form:
        typed = _typed(form)
    fixed = await _is_fixed(context, member, campaign_id)
    typed = (
        {**_of(request, campaign), **{name: typed[name] for name in ("title", "text", "closes")}} if fixed else typed
    )
    values, faults = _values(context, typed)
    given = {name: value for name, value in values.items() if name in CHANGEABLE or not fixed}
    order = None
    try:
        order = CampaignChange(**{name: value for name, value in given.items() if name not in ("course", "locale")})
    except ValidationError as error:
        faults |= _named(error)
    if order is None or faults:
        return await _form(request, member, typed, campaign, faults=faults, status=422)
    try:
        await alter_campaign(context, member, campaign_id, order)
    except Problem as problem:
        return await _form(request, member, typed, campaign, problem=_suitable(problem), status=problem.status_code)
    return go(f"/team/campaigns/{campaign_id}?said=changed")


def _begun(request: Request, course_name: str) -> Typed:
    """Fill a new form in, from a course when one is named."""
    context, language = context_of(request), words_for(request).language
    today = local(context.clock(), context.settings.campaign_zone).date()
    typed: Typed = dict.fromkeys(TEXTS, "") | {
        "kind": "assessment",
        "skip": "unknown",
        "restricted": YES,
        "opens": today.isoformat(),
        "several": NO,
        "targets": {},
    }
    for course in context.courses:
        if course.name == course_name:
            first, last = course.dates(today)
            typed |= {
                "course": course.name,
                "title": title(course.title, language),
                "text": title(course.text, language),
                "targets": dict(course.levels),
                "skip": course.skip,
                "opens": max(first, today).isoformat(),
                "closes": last.isoformat(),
            }
    return typed


def _typed(form: FormData) -> Typed:
    typed: Typed = {name: str(form.get(name, ""))[:_LONGEST].strip() for name in TEXTS}
    targets = {}
    for name, value in form.multi_items():
        if name.startswith("target-") and isinstance(value, str) and value.isdecimal() and len(value) < 3:
            targets[name.removeprefix("target-")] = int(value)
    return typed | {"targets": targets, "several": YES if form.get("several") == YES else NO}


def _of(request: Request, campaign: Mapping[str, Any]) -> Typed:
    """Write a campaign into the fields of the form."""
    zone = context_of(request).settings.campaign_zone
    opens = local(datetime.fromisoformat(campaign["opens_at"]), zone).date()
    closes = campaign["closes_at"] and local(datetime.fromisoformat(campaign["closes_at"]), zone)
    return {
        **{name: campaign[name] or "" for name in ("kind", "title", "text", "course", "skip", "external_id_label")},
        "opens": opens.isoformat(),
        "closes": (closes - timedelta(seconds=1)).date().isoformat() if closes else "",
        "targets": {code: campaign["targets"].get(code, 0) for code in campaign["competences"]},
        "restricted": YES if campaign["restricted"] else NO,
        "several": YES if campaign["several"] else NO,
    }


def _values(context: Context, typed: Typed) -> tuple[dict[str, Any], set[str]]:
    """Read the fields as the API wants them, and name those that cannot be read."""
    zone, faults = ZoneInfo(context.settings.campaign_zone), set()
    days: dict[str, date | None] = {}
    for name in ("opens", "closes"):
        try:
            days[name] = date.fromisoformat(typed[name]) if typed[name] else None
        except ValueError:
            days[name] = None
            faults.add(name)
    opens, closes = days["opens"], days["closes"]
    if opens is None:
        faults.add("opens")
    if not typed["title"]:
        faults.add("title")
    if not typed["targets"] and typed["kind"] != "collection":
        faults.add("competences")
    codes = list(typed["targets"]) or list(context.served.framework.codes)
    values = {
        "kind": typed["kind"],
        "course": typed["course"] or None,
        "title": typed["title"] or None,
        "text": typed["text"],
        "competences": codes,
        "targets": {code: level for code, level in typed["targets"].items() if level},
        "skip": typed["skip"],
        "opens_at": None if opens is None else datetime.combine(opens, time(), zone),
        "closes_at": None if closes is None else datetime.combine(closes + timedelta(days=1), time(), zone),
        "several": typed["several"] == YES,
        "external_id_label": typed["external_id_label"] or None,
        "restricted": typed["restricted"] != NO,
    }
    return values, faults


def _named(error: ValidationError) -> set[str]:
    """Name the fields of the page that the API refuses."""
    fields = {"opens_at": "opens", "closes_at": "closes", "targets": "competences"}
    return {fields.get(name, name) for name in (str(fault["loc"][0]) for fault in error.errors())}


def _suitable(problem: Problem) -> Problem:
    if problem.kind not in (INVALID_REQUEST, NOT_NOW):
        raise problem
    return problem


async def _is_fixed(context: Context, member: Member, campaign_id: str) -> bool:
    """Tell whether somebody entered the campaign."""
    return bool((await list_participations(context, member, campaign_id, None, 1))["items"])


async def _form(
    request: Request,
    member: Member,
    typed: Typed,
    campaign: Mapping[str, Any] | None = None,
    *,
    faults: set[str] | None = None,
    problem: Problem | None = None,
    status: int = 200,
) -> Response:
    context, language = context_of(request), words_for(request).language
    return page(
        request,
        "results/form.html",
        status,
        member=member,
        campaign=campaign,
        typed=typed,
        key=drawn_key(),
        faults=[name for name in ORDER if name in (faults or ())],
        refused=None if problem is None else refusal(request, problem),
        courses=[{"name": course.name, "title": title(course.title, language)} for course in context.courses],
        framework=context.served.framework,
        fixed=campaign is not None and await _is_fixed(context, member, campaign["id"]),
    )
