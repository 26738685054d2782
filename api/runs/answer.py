"""Answering: mark the reply, take the step, store the reply and the next question in one transaction."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.context import Context
from api.problems import (
    ALREADY_ANSWERED,
    INVALID_ANSWER,
    NOT_PENDING,
    RUN_FINISHED,
    UNAVAILABLE,
    UNKNOWN_KIND,
    Problem,
)
from api.runs.facts import ANSWERED, NOT_REACHED, SKIPPED, TIMED_OUT, WITHDRAWN, Fact, response_of
from api.runs.live import Live, ending, live_after, question
from api.runs.lookup import current_run, live_run, unknown_run
from api.runs.replied import with_replies
from api.runs.repository import add_facts, facts_around, facts_of, finish_run, new_facts
from api.runs.results import told_result
from api.runs.stepper import Taken
from api.runs.view import live_pending, reply_view
from engine.adaptive import Decision
from engine.errors import AnswerError
from engine.state import State
from itembank.items import KINDS
from itembank.marking import mark

LONGEST_MEASURED = 600.0
"""Most seconds that the server counts itself for one reply, when the client did not say: the learner may have left."""
GRACE = 3.0
"""Seconds over the limit of a timed item that the network may have cost."""
ATTEMPTS = 3


@dataclass(frozen=True)
class Reply:
    """What a learner replied to the item at a position: an answer, unless it was skipped or time ran out."""

    position: int
    item: str
    answer: Any = None
    skipped: bool = False
    timed_out: bool = False
    seconds: float | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Invigilation:
    """What an invigilated test adds to a reply: who minds the clock, and what must hold when it is stored.

    Parameters
    ----------
    at : datetime
        When the reply came, by the server's clock.
    seconds : function of (asked_at, at)
        Running time of the test between two moments.
    hold : function of (connection, ended)
        Called in the transaction that stores the reply, before it, with the fact that ends the run, or None; raises
        when the candidate may not reply any more, and stores what else follows.
    """

    at: datetime
    seconds: Callable[[datetime, datetime], float]
    hold: Callable[[Connection, Fact | None], None]


async def post_reply(
    context: Context, run_id: str, reply: Reply, invigilation: Invigilation | None = None
) -> dict[str, Any]:
    """Store a reply and tell what comes next.

    Parameters
    ----------
    context : Context
    run_id : str
        A run that the caller may answer: see ``run_for``.
    reply : Reply
    invigilation : Invigilation, optional
        Of a run that certifies, which takes no reply without one.

    Returns
    -------
    dict
        ``run_id, position, item, outcome, at, state, pending, progress``; the same when the reply is sent again.

    Raises
    ------
    Problem
        404 unknown run; 409 another item is pending, answered before otherwise, or run finished; 422 unsuitable.
    """
    live = await live_run(context, run_id)
    if (live.run.rules_hash is None) != (invigilation is None):
        raise unknown_run()
    for _ in range(ATTEMPTS):
        if live.pending is not None and reply.position == live.position:
            try:
                return await _advance(context, live, reply, invigilation)
            except IntegrityError:
                live = await current_run(context, run_id)
        elif reply.position < live.position:
            return await _settled(context, live, reply)
        else:
            live = await current_run(context, run_id)
            if reply.position >= live.position and (live.pending is None or reply.position > live.position):
                raise _out_of_turn(live)
    raise Problem(
        UNAVAILABLE, "Several replies to this run crossed: send the same one again.", headers={"Retry-After": "1"}
    )


async def _advance(context: Context, live: Live, reply: Reply, invigilation: Invigilation | None) -> dict[str, Any]:
    """Take the pending item's reply: decide, store, and only then tell."""
    row = live.pending
    assert row is not None
    item = live.test.snapshot.items[row]
    if reply.item != item.id:
        raise _not_pending(live, f"The item {reply.item[:64]!r} is not the one that waits at position {live.position}")
    if reply.kind is not None and reply.kind != item.kind:
        raise _wrong_kind(live, reply.kind, item.kind)
    # a clock that was set back does not put the reply before its question
    at = max(context.clock() if invigilation is None else invigilation.at, live.asked_at)
    if invigilation is not None:
        reply = replace(reply, seconds=invigilation.seconds(live.asked_at, at))
    fact = _reply_fact(live, reply, at)
    response = response_of(fact)
    state, decision = await context.stepper.step(Taken(live, row, response, float(fact.seconds or 0.0)))
    after = after_reply(live, fact, state, decision)
    if invigilation is not None:
        await context.write(partial(_store_invigilated, invigilation, fact, after))
    elif after.ended is None:
        await context.write(new_facts((fact, question(after, at))))
    else:
        await context.write(partial(_store_end, fact, after.ended))
    context.live_runs.put(live.run.id, after)
    return reply_view(after, fact, after.pending)


def after_reply(live: Live, reply: Fact, state: State, decision: Decision) -> Live:
    """Tell where the run stands after a reply: at the next item, or at its end with its result."""
    replied = with_replies(live.replied, live.test.design, live.test.bank, (reply,))
    after = replace(live, state=state, position=live.position + 1, asked_at=reply.at, replied=replied, relaxed=0)
    if not decision.done:
        return replace(after, pending=int(decision.item), relaxed=int(decision.relaxed))
    over = replace(after, run=replace(live.run, finished_at=reply.at), pending=None)
    return replace(over, ended=ending(over, int(decision.reason), reply.at, told_result(over)))


def _store_invigilated(invigilation: Invigilation, reply: Fact, after: Live, connection: Connection) -> None:
    invigilation.hold(connection, after.ended)
    if after.ended is None:
        add_facts(connection, (reply, question(after, reply.at)))
    else:
        _store_end(reply, after.ended, connection)


def _store_end(reply: Fact, ended: Fact, connection: Connection) -> None:
    add_facts(connection, (reply, ended))
    finish_run(connection, ended.run_id, ended.at)


def _reply_fact(live: Live, reply: Reply, at: datetime) -> Fact:
    """Mark the reply; a late answer to a timed item is kept, as a time-out."""
    assert live.pending is not None
    item = live.test.snapshot.items[live.pending]
    seconds = reply.seconds
    if seconds is None:
        seconds = (at - live.asked_at).total_seconds()
    late = item.limit is not None and (reply.timed_out or seconds > item.limit + GRACE)
    if reply.seconds is None:
        seconds = min(seconds, LONGEST_MEASURED)
    if reply.timed_out and item.limit is None:
        raise Problem(
            INVALID_ANSWER, "This item has no time limit: send an answer, or skipped.", pending=live_pending(live)
        )
    response = None
    if not reply.skipped and not reply.timed_out:
        try:
            response = mark(item, reply.answer)
        except AnswerError as error:
            raise Problem(INVALID_ANSWER, str(error), pending=live_pending(live)) from None
    kind = SKIPPED if reply.skipped else TIMED_OUT if late else ANSWERED
    return Fact(
        live.run.id,
        live.position,
        kind,
        at,
        item=item.id,
        response=response if kind == ANSWERED else None,
        answer=reply.answer,
        seconds=seconds,
    )


async def _settled(context: Context, live: Live, reply: Reply) -> dict[str, Any]:
    """Answer to a reply at a position that already has one: the same is told again, another is refused."""
    stored, following = await context.read(partial(facts_around, run_id=live.run.id, position=reply.position))
    if _same(stored, reply):
        snapshot = live.test.snapshot
        if live.run.rules_hash is not None and live.position > reply.position + 1:
            live = await context.read(partial(_as_of, context, live, reply.position + 1))
        return reply_view(live, stored, snapshot.row(following.item) if following.item is not None else None)
    raise Problem(
        ALREADY_ANSWERED,
        f"Position {reply.position} of this run was already answered, and otherwise: "
        + ("the run is finished." if live.pending is None else f"go on at position {live.position}."),
        pending=live_pending(live),
    )


def _as_of(context: Context, live: Live, position: int, connection: Connection) -> Live:
    """Where a run stood after ``position`` replies: what was withdrawn since has changed how long it may be."""
    stored = facts_of(connection, live.run.id)
    return live_after(connection, context.pins, live.run, stored[: 2 * position + 1])


def _same(stored: Fact, reply: Reply) -> bool:
    skipped = stored.kind == SKIPPED
    if stored.kind in (WITHDRAWN, NOT_REACHED) or stored.item != reply.item or skipped != reply.skipped:
        return False
    return skipped or json.dumps(stored.answer, sort_keys=True) == json.dumps(reply.answer, sort_keys=True)


def _out_of_turn(live: Live) -> Problem:
    if live.pending is None:
        return Problem(
            RUN_FINISHED, "The run is finished and takes no more answers: GET the run to read its result.", pending=None
        )
    return _not_pending(live, "Nothing was asked yet at this position")


def _not_pending(live: Live, what: str) -> Problem:
    return Problem(NOT_PENDING, f"{what}: answer the pending item.", pending=live_pending(live))


def _wrong_kind(live: Live, told: str, kind: str) -> Problem:
    if told in KINDS:
        return Problem(INVALID_ANSWER, f"The pending item is a {kind}, not a {told}.", pending=live_pending(live))
    return Problem(
        UNKNOWN_KIND,
        f"There is no item kind {told[:64]!r}: the kinds are {', '.join(KINDS)}, and the pending item is a {kind}.",
        pending=live_pending(live),
    )
