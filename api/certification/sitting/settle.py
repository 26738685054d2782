"""The end of a test that something else than an answer ends: the time, the candidate, the invigilator.

The item that waited gets the reply that it was not reached, the run its end, and the candidate the fact, all in one
transaction. When the time is up, whoever touches the candidate next stores that, and the facts bear the moment at which
it was up: no process has to watch the clock, and a server that is down at the deadline changes nothing.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import Connection

from api.certification.happening import Standing, happen
from api.certification.sitting.seat import TIME, Seat, deadline_of, seat_of
from api.certification.states import UNDER_WAY, Kind
from api.clock import iso
from api.context import Context
from api.runs.facts import ASKED, ENDED, NOT_REACHED, Fact
from api.runs.pinned import Pins
from api.runs.repository import add_facts, finish_run, last_fact, run_of
from engine.stopping import Reason

CANDIDATE, TECHNICAL, INVIGILATOR = "candidate", "technical", "invigilator"
COMPLETED: Final = "completed"
CUT_OFF: Final = frozenset({TIME, CANDIDATE, TECHNICAL, INVIGILATOR})
"""Reasons of an end that no answer brought about."""
ON_THE_WAY: Final = timedelta(seconds=2)
"""Time after the deadline before which nobody who only looks stores the end: an answer that came in time may be on
its way to the disk, and is taken."""


def settle(
    connection: Connection, pins: Pins, now: Standing, at: datetime, spared: timedelta = timedelta()
) -> Standing:
    """End the run of a candidate whose time was up ``spared`` ago; the facts bear the deadline.

    Parameters
    ----------
    connection : Connection
        Of the writer's transaction.
    pins : Pins
    now : Standing
        Read with ``lock`` in the same transaction.
    at : datetime
        The present.
    spared : timedelta
        Time left to answers on their way.

    Returns
    -------
    Standing
        The same when there is nothing to do.
    """
    if now.state.phase not in UNDER_WAY:
        return now
    run = run_of(connection, now.candidate.run_id or "")
    assert run is not None
    assert run.rules_hash is not None
    due = deadline_of(now, pins.rules(connection, run.rules_hash))
    if due is None or at < due + spared:
        return now
    return cut_off(connection, now, due, TIME, "server")


def cut_off(
    connection: Connection, now: Standing, at: datetime, end: str, who: str, why: str | None = None
) -> Standing:
    """End the run of a candidate while an item waits.

    Parameters
    ----------
    connection, now, at
        As for :func:`settle`.
    end : str
        One of CUT_OFF.
    who, why
        Of the candidate's fact.
    """
    run_id = now.candidate.run_id
    assert run_id is not None
    asked = last_fact(connection, run_id)
    assert asked.kind == ASKED
    at = max(at, asked.at)
    after = end_at(connection, now, at, end, who, why)
    reply = Fact(run_id, asked.position, NOT_REACHED, at, item=asked.item)
    add_facts(connection, (reply, Fact(run_id, asked.position + 1, ENDED, at, reason=end)))
    finish_run(connection, run_id, at)
    return after


def end_at(connection: Connection, now: Standing, at: datetime, end: str, who: str, why: str | None = None) -> Standing:
    """Store the fact that a test ended at a moment, which may lie before another fact of the candidate.

    An incident may be noted after the deadline and before anybody stores that the time is up: the fact then comes last,
    as all do, and says when the test ended.
    """
    data = {"end": end} if at >= now.state.at else {"end": end, "at": iso(at)}
    return happen(connection, now, Kind.ENDED, at, who, why, data)


def end_of(ended: Fact) -> str:
    """Why a test ended that was not cut off: nothing is left to ask, or nothing that the time left allows."""
    return TIME if ended.reason == Reason.OUT_OF_TIME.name.lower() else COMPLETED


async def seated(context: Context, candidate_id: str) -> Seat:
    """Read where a candidate sits, and store first that their time was up some time ago."""
    seat = await context.read(partial(seat_of, pins=context.pins, candidate_id=candidate_id))
    return await settled(context, seat)


async def settled(context: Context, seat: Seat) -> Seat:
    """Store that the time of a candidate was up some time ago, if it was."""
    if not seat.over(context.clock() - ON_THE_WAY):
        return seat

    def store(connection: Connection) -> Seat:
        found = seat_of(connection, context.pins, seat.candidate.id, lock=True)
        return found.moved(settle(connection, context.pins, found.standing, context.clock(), ON_THE_WAY))

    return await context.write(store)
