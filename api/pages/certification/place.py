"""What a candidate sees now: the waiting, the start, the question, the pause or the end."""

from datetime import datetime
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.certification.callers import Sitter
from api.certification.eligibility import profile_for
from api.certification.sitting import views
from api.certification.sitting.seat import Seat, device_name
from api.certification.sitting.settle import seated
from api.certification.sitting.views import clock_view, to_do
from api.certification.states import UNDER_WAY, CandidateState, Phase
from api.context import context_of
from api.identifiers import written_access_code
from api.pages.answer_form import Typed
from api.pages.certification.entry import door
from api.pages.certification.moments import local
from api.pages.page import go, page, words_for
from api.pages.question import shown_item
from api.runs.lookup import current_run
from itembank.framework import title


async def now(
    request: Request,
    sitter: Sitter,
    status: int = 200,
    typed: Typed | None = None,
    fault: str | None = None,
    stale: bool = False,
) -> Response:
    """Show what there is to do now."""
    context = context_of(request)
    seat, at = await seated(context, sitter.candidate.id), context.clock()
    state, device = seat.shown(at), device_name(sitter.token_hash)
    in_use = seat.candidate.device_hash == sitter.token_hash
    if not in_use and seat.candidate.waiting_hash != sitter.token_hash:
        return door(request, {})
    match to_do(state, device, in_use, at):
        case _ if state.phase in (Phase.ABSENT, Phase.REMOVED):
            return told_why(request, status, state.phase.value)
        case views.WAIT:
            return _waits(request, seat, state, device, status)
        case views.START | views.RETURN:
            return await _ready(request, seat, state, at, status)
        case views.PAUSED | views.REPORTED:
            return _stands(request, seat, state, at, status)
        case views.OVER:
            return await _over(request, seat, state, status) if in_use else told_why(request, status, "over")
    live = await current_run(context, seat.run_id)
    if live.pending is None:  # the last answer was stored between two readings
        return go("/session")
    return page(
        request,
        "certification/question.html",
        status,
        live=True,
        item=shown_item(live),
        position=live.position,
        total=live.at_most,
        clock=clock_view(seat, at),
        typed=typed or Typed(),
        fault=fault,
        stale=stale,
    )


def told_why(request: Request, status: int, what: str) -> Response:
    """Say why there is nothing to do here."""
    return page(request, "certification/told.html", status, title=f"session.{what}_title", text=f"session.{what}_text")


def _waits(request: Request, seat: Seat, state: CandidateState, device: str, status: int) -> Response:
    """Show that the invigilator has to authorise the device."""
    lapsed = state.authorised == device
    how = {
        "state": views.WAIT,
        "title": "session.wait_title",
        "text": "session.wait_return" if state.phase in UNDER_WAY else "session.wait_text",
        "more": "session.wait_lapsed" if lapsed else "session.wait_clock" if state.phase is Phase.RUNNING else None,
    }
    return _still(request, seat, how, status, device)


async def _ready(request: Request, seat: Seat, state: CandidateState, at: datetime, status: int) -> Response:
    """Show the start, or the return, that the invigilator authorised."""
    assert state.authorised_until is not None
    returning = state.phase in UNDER_WAY
    return page(
        request,
        "certification/ready.html",
        status,
        name=name_of(seat),
        returning=returning,
        until=words_for(request).hour(local(state.authorised_until, seat.session.zone)),
        limit=seat.limit.total_seconds(),
        competences=[] if returning else await _competences(request, seat, at),
    )


def _stands(request: Request, seat: Seat, state: CandidateState, at: datetime, status: int) -> Response:
    """Show that the clock stands, and hide the item."""
    kind = "frozen" if state.report is not None else "paused"
    how = {"state": kind, "title": f"session.{kind}_title", "text": f"session.{kind}_text", "more": None}
    said = None if state.report is None else str(state.report["why"])
    return _still(request, seat, how, status, said=said, clock=clock_view(seat, at))


def _still(
    request: Request,
    seat: Seat,
    told: dict[str, str | None],
    status: int,
    device: str | None = None,
    said: str | None = None,
    clock: dict[str, Any] | None = None,
) -> Response:
    values: dict[str, Any] = {"told": told, "name": name_of(seat), "device": device, "said": said, "clock": clock}
    return page(request, "certification/wait.html", status, live=True, **values)


async def _over(request: Request, seat: Seat, state: CandidateState, status: int) -> Response:
    """Show the end, with the code by which the holder of a certificate finds it."""
    context = context_of(request)
    live = await current_run(context, seat.run_id)
    until = live.run.created_at + context.settings.access_to_run(certifies=True)
    return page(
        request,
        "certification/end.html",
        status,
        reason=f"session.end_{state.end}",
        code=written_access_code(live.run.access_code),
        until=words_for(request).day(until),
    )


async def _competences(request: Request, seat: Seat, at: datetime) -> list[str]:
    """Titles of what the test will be about."""
    context, language = context_of(request), words_for(request).language
    read = partial(profile_for, context=context, learner_id=seat.candidate.learner_id, rules=seat.rules, at=at)
    profile = await context.read(read)
    chosen = frozenset(profile.certifiable)
    return [title(each.title, language) for each in profile.framework.competences if each.code in chosen]


def name_of(seat: Seat) -> str:
    """Name of the candidate."""
    return f"{seat.candidate.first_name} {seat.candidate.last_name}"
