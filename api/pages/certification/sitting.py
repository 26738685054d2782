"""The candidate's place: one address that shows what there is to do now, and the forms that do it."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from api.certification.callers import Sitter
from api.certification.sitting.service import answer, come_back, leave, report, start
from api.certification.sitting.settle import seated
from api.certification.sitting.views import clock_view
from api.certification.states import UNDER_WAY, Phase
from api.context import context_of
from api.pages.answer_form import SKIP, answer_of, asked_item, fault_of, typed_of
from api.pages.certification.doors import own_sitter, shown_sitter
from api.pages.certification.entry import door
from api.pages.certification.place import now, told_why
from api.pages.origin import from_our_pages
from api.pages.page import go, page, words_for
from api.pages.question import waits
from api.problems import (
    ALREADY_ANSWERED,
    CLOCK_STANDS,
    INVALID_ANSWER,
    NOT_ELIGIBLE,
    NOT_NOW,
    NOT_PENDING,
    NOTHING_TO_ASK,
    RUN_FINISHED,
    TIME_IS_UP,
    UNAUTHENTICATED,
    Problem,
)
from api.runs.answer import Reply
from api.runs.live import Live
from api.runs.lookup import current_run

router = APIRouter(include_in_schema=False)
Here = Annotated[Sitter, Depends(own_sitter)]

OTHER: Final = 4
"""Place of the words for a problem of another kind, which then has to be told."""
_LONGEST_REPORT: Final = 500
_OVERTAKEN: Final = (NOT_PENDING, ALREADY_ANSWERED, RUN_FINISHED, INVALID_ANSWER, CLOCK_STANDS, TIME_IS_UP, NOT_NOW)
"""What happens to those whom something overtook: they are shown where they stand."""


@router.get("/session")
async def session(request: Request, code: str = "") -> Response:
    """Show what there is to do now: the door, the waiting, the start, the question, the end."""
    sitter = await shown_sitter(request)
    if sitter is None:
        return door(request, {"code": code})
    return await now(request, sitter)


@router.get("/session/enter")
@router.get("/session/start")
@router.get("/session/return")
@router.get("/session/answer")
@router.get("/session/leave")
async def nothing_to_see() -> Response:
    """Answer somebody who comes back to the address of a form."""
    return go("/session")


@router.post("/session/start", dependencies=[Depends(from_our_pages)])
async def begin(request: Request, sitter: Here) -> Response:
    """Start the test: the clock runs from here."""
    return await _done(request, sitter, start(context_of(request), sitter))


@router.post("/session/return", dependencies=[Depends(from_our_pages)])
async def resume(request: Request, sitter: Here) -> Response:
    """Go on with the test on this device."""
    return await _done(request, sitter, come_back(context_of(request), sitter))


@router.post("/session/answer", dependencies=[Depends(from_our_pages)])
async def reply(request: Request, sitter: Here) -> Response:
    """Take an answer or a skip, then go to what comes next."""
    async with request.form(max_files=0, max_fields=100) as form:
        typed = typed_of(form)
    live = await _run(request, sitter)
    asked = None if live is None else asked_item(live.test.snapshot, typed)
    if live is None or asked is None:
        return await now(request, sitter, 409, stale=True)
    position, item = asked
    skipped = typed.texts.get("action") == SKIP
    fault = None if skipped else fault_of(item, typed)
    if fault is not None:
        if waits(live, position, item):
            return await now(request, sitter, 422, typed, fault)
        return await now(request, sitter, 409, stale=True)
    told = Reply(position, item.id, None if skipped else answer_of(item, typed), skipped)
    return await _done(request, sitter, answer(context_of(request), sitter, told))


@router.get("/session/report")
async def problem_form(request: Request, sitter: Here) -> Response:
    """Ask what is wrong with the question that waits."""
    return await _report(request, sitter)


@router.post("/session/report", dependencies=[Depends(from_our_pages)])
async def report_problem(request: Request, sitter: Here) -> Response:
    """Report a problem: the clock stands until the invigilator decides."""
    async with request.form(max_files=0, max_fields=16) as form:
        chosen, more = _chosen(form), str(form.get("more", ""))[:_LONGEST_REPORT].strip()
        position, item = str(form.get("position", "")), str(form.get("item", ""))
    if chosen is None or (chosen == OTHER and not more):
        return await _report(request, sitter, 422, chosen, more)
    if not (position.isascii() and position.isdigit() and len(position) < 7):
        return await now(request, sitter, 409, stale=True)
    kind = words_for(request).several("session.report_kinds")[chosen]
    why = " – ".join(part for part in (kind if chosen != OTHER else "", more) if part)
    return await _done(request, sitter, report(context_of(request), sitter, int(position), item, why))


@router.get("/session/finish")
async def ask_whether(request: Request, sitter: Here) -> Response:
    """Ask whether the test shall really end."""
    seat, at = await seated(context_of(request), sitter.candidate.id), context_of(request).clock()
    if seat.candidate.device_hash != sitter.token_hash or seat.shown(at).phase not in UNDER_WAY:
        return go("/session")
    live = await current_run(context_of(request), seat.run_id)
    return page(request, "certification/finish.html", live=True, position=live.position, clock=clock_view(seat, at))


@router.post("/session/finish", dependencies=[Depends(from_our_pages)])
async def finish(request: Request, sitter: Here) -> Response:
    """End the test, as the candidate wishes."""
    return await _done(request, sitter, leave(context_of(request), sitter))


async def _done(request: Request, sitter: Sitter, work: Any) -> Response:
    """Do what a form asks for; whom something overtook is shown where they stand."""
    try:
        await work
    except Problem as problem:
        if problem.kind is UNAUTHENTICATED:
            return go("/session")
        if problem.kind in (NOT_ELIGIBLE, NOTHING_TO_ASK):
            return told_why(request, problem.status_code, problem.kind.slug)
        if problem.kind not in _OVERTAKEN:
            raise
        return await now(request, sitter, 409, stale=True)
    return go("/session")


async def _run(request: Request, sitter: Sitter) -> Live | None:
    """Return where the candidate's run stands, None before the start."""
    seat = await seated(context_of(request), sitter.candidate.id)
    return None if seat.candidate.run_id is None else await current_run(context_of(request), seat.run_id)


async def _report(
    request: Request, sitter: Sitter, status: int = 200, chosen: int | None = None, more: str = ""
) -> Response:
    context = context_of(request)
    seat, at = await seated(context, sitter.candidate.id), context.clock()
    if seat.candidate.device_hash != sitter.token_hash or seat.shown(at).phase is not Phase.RUNNING:
        return go("/session")
    live = await current_run(context, seat.run_id)
    if live.pending is None:
        return go("/session")
    item = live.test.snapshot.ids[live.pending]
    told: dict[str, Any] = {
        "position": live.position,
        "item": item,
        "clock": clock_view(seat, at),
        "chosen": chosen,
        "more": more,
    }
    return page(request, "certification/report.html", status, live=True, fault=status != 200, **told)


def _chosen(form: FormData) -> int | None:
    """Place of the kind of problem that was chosen."""
    kind = str(form.get("kind", ""))
    return int(kind) if kind in tuple("01234") else None
