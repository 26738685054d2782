"""The campaigns of an organisation: the list, one with its follow-up, its poster, and its archive."""

from datetime import datetime
from typing import Annotated, Any, Final

import segno
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.campaigns.follow_up import follow_up, list_participations
from api.campaigns.service import archive_campaign, find_campaign, list_campaigns
from api.context import context_of
from api.organisations.records import Member
from api.organisations.registrations.names import compared
from api.organisations.registrations.schemas import ShownDivision
from api.pages.certification.doors import own_teacher
from api.pages.certification.moments import local
from api.pages.certification.refusals import refusal
from api.pages.origin import from_our_pages
from api.pages.page import go, page, words_for
from api.problems import NOT_NOW, Problem

router = APIRouter(include_in_schema=False)
Teacher = Annotated[Member, Depends(own_teacher)]

STATES: Final = ("absent", "started", "finished", "sent")
SAID: Final = frozenset(("created", "changed", "archived"))
_SHOWN: Final = 30
_PEOPLE: Final = 200


@router.get("/team/campaigns")
async def campaigns(request: Request, member: Teacher, before: str | None = None) -> Response:
    """List the campaigns, the latest first."""
    found = await list_campaigns(context_of(request), member, member.organisation_id, before, _SHOWN)
    shown = [dated(request, campaign) for campaign in found["items"]]
    return page(request, "results/campaigns.html", member=member, campaigns=shown, older=found["next"])


@router.get("/team/campaigns/{campaign_id}")
async def sheet(
    request: Request,
    campaign_id: str,
    member: Teacher,
    said: str = "",
    state: str = "all",
    division: ShownDivision = "",
    after: str | None = None,
) -> Response:
    """Show a campaign: its code, how far the learners are, and who they are."""
    told = words_for(request)(f"campaign_sheet.said_{said}") if said in SAID else None
    shown = state if state in STATES else "all"
    return await _sheet(request, member, campaign_id, shown, division, after, said=told)


@router.post("/team/campaigns/{campaign_id}", dependencies=[Depends(from_our_pages)])
async def act(request: Request, campaign_id: str, member: Teacher) -> Response:
    """Archive a campaign."""
    async with request.form(max_files=0, max_fields=8) as form:
        wish = str(form.get("act", ""))
    if wish != "archive":
        return go(f"/team/campaigns/{campaign_id}")
    try:
        await archive_campaign(context_of(request), member, campaign_id)
    except Problem as problem:
        if problem.kind is not NOT_NOW:
            raise
        return await _sheet(request, member, campaign_id, status=409, refused=refusal(request, problem))
    return go(f"/team/campaigns/{campaign_id}?said=archived")


@router.get("/team/campaigns/{campaign_id}/poster")
async def poster(request: Request, campaign_id: str, member: Teacher) -> Response:
    """Show what to hang up in a classroom: the address, the code, letter by letter, and what to do."""
    campaign = dated(request, await find_campaign(context_of(request), member, campaign_id))
    return page(
        request,
        "results/poster.html",
        member=member,
        campaign=campaign,
        site=context_of(request).settings.public_url,
        spelled=", ".join(campaign["code"].replace("-", "")),
    )


@router.get("/team/campaigns/{campaign_id}/code.svg")
async def picture(request: Request, campaign_id: str, member: Teacher) -> Response:
    """Draw the link of a campaign as a QR code."""
    campaign = await find_campaign(context_of(request), member, campaign_id)
    content = segno.make(campaign["link"], error="m").svg_inline(scale=4, border=2, dark="#000", light="#fff")
    svg = content.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


def dated(request: Request, campaign: dict[str, Any]) -> dict[str, Any]:
    """Return a campaign with its days in words, and its code as people write it."""
    words, zone = words_for(request), context_of(request).settings.campaign_zone

    def day(name: str, *, last: bool = False) -> str | None:
        if campaign[name] is None:
            return None
        at = local(datetime.fromisoformat(campaign[name]), zone)
        return words.day(_before(at) if last else at)

    return campaign | {
        "opens": day("opens_at"),
        "closes": day("closes_at", last=True),
        "archives": day("archived_at") or day("archives_at", last=True),
        "code": campaign["access_code"],
    }


def _before(at: datetime) -> datetime:
    """Return the last moment before a midnight: a campaign that closes then is open the whole day before."""
    return at if (at.hour, at.minute) != (0, 0) else at.fromtimestamp(at.timestamp() - 1, at.tzinfo)


async def _sheet(
    request: Request,
    member: Member,
    campaign_id: str,
    shown: str = "all",
    division: ShownDivision = "",
    after: str | None = None,
    status: int = 200,
    *,
    said: str | None = None,
    refused: str | None = None,
) -> Response:
    context, words = context_of(request), words_for(request)
    campaign = await find_campaign(context, member, campaign_id)
    zone, state = context.settings.campaign_zone, None if shown == "all" else shown
    found = await list_participations(context, member, campaign_id, after, _PEOPLE, division or None, state)
    people = [one | {"moment": _moment(words, one, zone)} for one in found["items"]]
    people.sort(key=lambda one: (compared(one["last_name"]), compared(one["first_name"])))
    return page(
        request,
        "results/sheet.html",
        status,
        member=member,
        campaign=dated(request, campaign),
        follow=await follow_up(context, member, campaign_id),
        people=people,
        more=found["next"],
        shown=shown,
        division=division,
        said=said,
        refused=refused,
    )


def _moment(words: Any, one: dict[str, Any], zone: str) -> str | None:
    """Write when somebody did the last thing that they did."""
    latest = one["sent_at"] or one["finished_at"] or one["created_at"]
    if latest is None:
        return None
    at = local(datetime.fromisoformat(latest), zone)
    return f"{words.day(at)}, {words.hour(at)}"
