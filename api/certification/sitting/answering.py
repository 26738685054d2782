"""Answers of candidates: those of :mod:`api.runs.answer`, while the clock runs, from the device in use."""

from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from api.certification.callers import Sitter
from api.certification.sitting.acting import ATTEMPTS, CrossedError, crossed, require_in_use, require_running
from api.certification.sitting.seat import TIME, Seat, clock_stands, seat_of, time_is_up
from api.certification.sitting.settle import end_at, end_of, seated
from api.certification.states import UNDER_WAY, Phase
from api.context import Context
from api.problems import RUN_FINISHED, UNAVAILABLE, Problem
from api.runs.answer import Invigilation, Reply, post_reply
from api.runs.facts import Fact
from api.runs.lookup import current_run
from api.runs.repository import last_fact
from engine.clock import between


async def answer(context: Context, sitter: Sitter, reply: Reply) -> dict[str, Any]:
    """Store a candidate's reply and tell what comes next; the same reply sent again gets the same answer.

    The reply came when the server received it: one that was in time is taken, however long it then waits its turn.

    Raises
    ------
    Problem
        401 from a device that is not the candidate's any more; 409 when the test is paused (``clock-stands``) or over
        (``time-is-up``, ``run-finished``), and those of :func:`api.runs.answer.post_reply`.
    """
    at = context.clock()
    for _ in range(ATTEMPTS):
        seat = await seated(context, sitter.candidate.id)
        require_in_use(seat, sitter)
        if seat.state.phase in UNDER_WAY:
            require_running(seat)
        try:
            return await post_reply(context, seat.run_id, reply, _invigilation(context, sitter, seat, at))
        except CrossedError:
            await current_run(context, seat.run_id)
        except Problem as refused:
            raise _told(seat.shown(at).phase, seat.shown(at).end, refused) from None
    raise crossed()


def _invigilation(context: Context, sitter: Sitter, seat: Seat, at: datetime) -> Invigilation:
    """Say what must hold when the reply is stored; the time it took is reckoned from the standstills known now."""

    def seconds(asked_at: datetime, replied_at: datetime) -> float:
        return between(asked_at, replied_at, seat.state.standstills).total_seconds()

    return Invigilation(at, seconds, partial(_hold, context, sitter, seat, at))


def _hold(
    context: Context, sitter: Sitter, known: Seat, at: datetime, connection: Connection, ended: Fact | None
) -> None:
    seat = seat_of(connection, context.pins, known.candidate.id, lock=True)
    require_in_use(seat, sitter)
    if seat.state.phase not in UNDER_WAY:
        raise CrossedError  # this very reply may have ended the test
    require_running(seat)
    if seat.over(at):
        raise time_is_up()
    if seat.state.version != known.state.version:
        raise CrossedError
    if _stood(seat, at) and _stood(seat, max(at, last_fact(connection, seat.run_id).at)):
        raise clock_stands(Phase.PAUSED)  # it came during a pause that is over by now
    if ended is not None:
        end_at(connection, seat.standing, ended.at, end_of(ended), "server")


def _stood(seat: Seat, at: datetime) -> bool:
    """Whether the clock stood at a moment."""
    return any(begin < at and (end is None or at < end) for begin, end in seat.state.standstills)


def _told(phase: Phase, end: str | None, refused: Problem) -> Problem:
    """Say why a reply is refused: that the test is over comes before anything else, and shows no item."""
    if phase in UNDER_WAY or refused.kind is UNAVAILABLE:
        return refused
    if end == TIME:
        return time_is_up()
    return Problem(RUN_FINISHED, "The test is over and takes no more answers.", pending=None)
