"""The question that waits, its answer, and the pause."""

from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.context import context_of
from api.identifiers import written_access_code
from api.pages.answer_form import SKIP, Typed, answer_of, asked_item, fault_of, typed_of
from api.pages.cookie import own_run
from api.pages.origin import from_our_pages
from api.pages.page import go, page, words_for
from api.problems import ALREADY_ANSWERED, INVALID_ANSWER, NOT_PENDING, RUN_FINISHED, Problem
from api.runs.answer import Reply, post_reply
from api.runs.live import Live
from api.runs.lookup import current_run
from engine.stopping import MaxLength
from itembank.items import Item

router = APIRouter(include_in_schema=False)

_PERHAPS: Final = dict.fromkeys(("document", "table", "code", "unit", "limit"))
"""What only some items have."""


@router.get("/run")
async def question(request: Request) -> Response:
    """Show the question that waits, or go to the profile when there is none."""
    live = await own_run(request)
    return go("/profile") if live.pending is None else _question(request, live)


@router.post("/run", dependencies=[Depends(from_our_pages)])
async def answer(request: Request) -> Response:
    """Take an answer or a skip, then go to what comes next."""
    live = await own_run(request)
    async with request.form(max_files=0, max_fields=100) as form:
        typed = typed_of(form)
    asked = asked_item(live.test.snapshot, typed)
    if asked is None:
        return _out_of_date(request, live)
    position, item = asked
    skipped = typed.texts.get("action") == SKIP
    fault = None if skipped else fault_of(item, typed)
    if fault is not None:
        return _refused(request, live, position, item, typed, fault)
    reply = Reply(position, item.id, None if skipped else answer_of(item, typed), skipped)
    try:
        await post_reply(context_of(request), live.run.id, reply)
    except Problem as problem:
        if problem.kind not in (NOT_PENDING, ALREADY_ANSWERED, RUN_FINISHED, INVALID_ANSWER):
            raise
        return _out_of_date(request, await current_run(context_of(request), live.run.id))
    return go("/run")


@router.get("/run/pause")
async def pause(request: Request) -> Response:
    """Tell how to come back later."""
    live = await own_run(request)
    code = written_access_code(live.run.access_code)
    return page(request, "pause.html", code=code, until=words_for(request).day(open_until(request, live)))


def open_until(request: Request, live: Live) -> datetime:
    """Return when the access code of a run stops working."""
    return live.run.created_at + timedelta(days=context_of(request).settings.learner_token_days)


def waits(live: Live, position: int, item: Item) -> bool:
    """Tell whether it is this question that waits for a reply."""
    return live.pending is not None and live.position == position and live.test.snapshot.ids[live.pending] == item.id


def shown_item(live: Live) -> dict[str, Any]:
    """Return what a template shows of the question that waits."""
    assert live.pending is not None
    return {**_PERHAPS, **live.test.bank.views[live.pending]}


def _refused(request: Request, live: Live, position: int, item: Item, typed: Typed, fault: str) -> Response:
    """Show the question again with what is wrong, unless it is another one that waits."""
    if not waits(live, position, item):
        return _out_of_date(request, live)
    return _question(request, live, 422, typed, fault)


def _out_of_date(request: Request, live: Live) -> Response:
    if live.pending is None:
        raise Problem(RUN_FINISHED, "The run is finished and takes no more answers: look at its profile.")
    return _question(request, live, 409, stale=True)


def _question(
    request: Request,
    live: Live,
    status: int = 200,
    typed: Typed | None = None,
    fault: str | None = None,
    stale: bool = False,
) -> Response:
    return page(
        request,
        "question.html",
        status,
        item=shown_item(live),
        position=live.position,
        progress=_progress(request, live),
        typed=typed or Typed(),
        fault=fault,
        stale=stale,
    )


def _progress(request: Request, live: Live) -> dict[str, Any]:
    """Say how far the run is, and a kind word at its turning points."""
    words, number, total = words_for(request), live.position + 1, live.at_most
    exact = isinstance(live.test.design.stop, MaxLength)
    turning = {total // 2 + 1: "run.half", total: "run.last", 1: "run.first"}.get(number)
    return {
        "text": words("run.progress" if exact else "run.progress_about", position=number, total=total),
        "done": live.position,
        "total": total,
        "word": None if turning is None else words(turning),
    }
