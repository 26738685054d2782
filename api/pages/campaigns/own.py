"""A learner's own participation: begin the test, see what will be sent, send it."""

from datetime import datetime
from functools import partial
from typing import Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.campaigns.callers import participation_of_bearer
from api.campaigns.entering import Entry
from api.campaigns.records import CampaignKind, CampaignPhase, Participation, ParticipationState
from api.campaigns.repository import participation_of_run
from api.campaigns.sending import send
from api.campaigns.sending import snapshot_of as snapshot_now
from api.campaigns.taking import campaign_and_organisation, start, try_again
from api.campaigns.views import door_view
from api.context import context_of
from api.pages.certification.moments import local
from api.pages.certification.refusals import refusal
from api.pages.cookie import PARTICIPATION, RUN, shown_run
from api.pages.origin import from_our_pages
from api.pages.page import go, page, words_for
from api.pages.portrait import portrait
from api.pages.problems import NO_RUN
from api.problems import NOT_NOW, NOTHING_TO_ASK, Problem
from itembank.items import FLAGS

router = APIRouter(include_in_schema=False)

_UNFINISHED: Final = (ParticipationState.ENTERED, ParticipationState.STARTED)


async def shown_entry(request: Request) -> Entry | None:
    """Return the participation of this browser, told by its own cookie or by that of its run; None without one."""
    context, token = context_of(request), PARTICIPATION.token(request)
    found: Participation | None = None if token is None else await participation_of_bearer(context, token)
    if found is None:
        live = await shown_run(request)
        if live is not None:
            found = await context.read(partial(participation_of_run, run_id=live.run.id))
    if found is None:
        return None
    campaign, organisation = await context.read(partial(campaign_and_organisation, participation=found))
    return Entry(campaign, organisation, found, new=False)


async def own_entry(request: Request) -> Entry:
    """Return the participation of this browser: a dependency; raise a 403 problem without one."""
    found = await shown_entry(request)
    if found is None:
        raise Problem(NO_RUN, "No campaign is open in this browser: enter its code on the home page.")
    return found


@router.get("/campaign")
async def own(request: Request) -> Response:
    """Show where one is in the campaign."""
    return await _own(request, await own_entry(request))


@router.post("/campaign", dependencies=[Depends(from_our_pages)])
async def act(request: Request) -> Response:
    """Begin or go on with the test, send what is to be sent, or try again."""
    entry, context = await own_entry(request), context_of(request)
    async with request.form(max_files=0, max_fields=16) as form:
        wish = str(form.get("act", ""))
        accessible = tuple(sorted(set(FLAGS).intersection(str(flag) for flag in form.getlist("accessible"))))
    participation = entry.participation
    try:
        match wish:
            case "start":
                begun = await start(context, participation, participation.id, accessible)
                response = go("/run")
                RUN.bind(request, response, begun.opened.token)
                return response
            case "send":
                await send(context, participation, participation.id)
                return go("/campaign?said=sent")
            case "again":
                entry = await try_again(context, participation, participation.id)
                response = go("/campaign")
                PARTICIPATION.bind(request, response, entry.token(context))
                return response
            case _:
                return go("/campaign")
    except Problem as problem:
        if problem.kind not in (NOT_NOW, NOTHING_TO_ASK):
            raise
        words = words_for(request)
        nothing = words(f"problem.{NOTHING_TO_ASK.slug}.text")
        told = nothing if problem.kind is NOTHING_TO_ASK else refusal(request, problem)
        return await _own(request, await own_entry(request), problem.status_code, told)


async def _own(request: Request, entry: Entry, status: int = 200, refused: str | None = None) -> Response:
    context, words = context_of(request), words_for(request)
    campaign, participation = entry.campaign, entry.participation
    snapshot = participation.snapshot
    collects = campaign.kind == CampaignKind.COLLECTION
    if snapshot is None and (collects or participation.state not in _UNFINISHED):
        try:
            snapshot = await context.read(lambda connection: snapshot_now(context, connection, campaign, participation))
        except Problem as problem:
            if problem.kind is not NOT_NOW:
                raise
    framework = context.served.framework
    told = None if snapshot is None else portrait(words, framework, snapshot["competences"])
    lines = () if told is None else [line for chapter in (*told.asked, *told.guessed) for line in chapter.lines]
    asked = [line for line in lines if collects or line.code in campaign.competences]
    sent = participation.sent_at
    return page(
        request,
        "campaigns/own.html",
        status,
        campaign=door_view(context, campaign, entry.organisation),
        frozen=campaign.phase(context.clock()) is CampaignPhase.ARCHIVED,
        person=f"{participation.first_name} {participation.last_name}",
        attempt=participation.attempt,
        state=participation.state,
        collects=collects,
        lines=sorted(asked, key=lambda line: framework.codes.index(line.code)),
        sent=None if sent is None else _moment(request, sent),
        flags=FLAGS,
        refused=refused,
        said=request.query_params.get("said") == "sent" and sent is not None,
    )


def _moment(request: Request, at: datetime) -> str:
    words, there = words_for(request), local(at, context_of(request).settings.campaign_zone)
    return f"{words.day(there)}, {words.hour(there)}"
