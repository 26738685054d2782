"""What the invigilator does in the room: authorise, pause, decide on a reported problem, end a test."""

from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from api.certification.callers import required_candidate, required_session
from api.certification.happening import happen, possible
from api.certification.sessions.planning import check_hour
from api.certification.sitting.acting import ATTEMPTS, Act, CrossedError, act, crossed
from api.certification.sitting.room import room_view
from api.certification.sitting.seat import Seat, seat_of
from api.certification.sitting.settle import INVIGILATOR, TECHNICAL, cut_off, end_at, end_of, settled
from api.certification.states import Kind
from api.context import Context
from api.organisations.callers import Staff, who
from api.problems import NOT_NOW, Problem
from api.runs.answer import after_reply
from api.runs.facts import WITHDRAWN, Fact
from api.runs.live import Live, question, read_live
from api.runs.repository import add_facts, finish_run, run_of
from engine.adaptive import Decision, decide
from engine.state import State, withdraw
from engine.uniform import uniform

__all__ = ["accept", "authorise", "dismiss", "end_test", "pause", "resume", "room_view"]

ENDS = (TECHNICAL, INVIGILATOR)


async def authorise(
    context: Context, caller: Staff, session_id: str, candidate_id: str, device: str | None = None
) -> None:
    """Let the device that waits start the test, or go on with it, for as long as the rules say.

    Parameters
    ----------
    context, caller, session_id, candidate_id
    device : str, optional
        Name of the device that the invigilator has seen; refused when another one waits by now.

    Raises
    ------
    Problem
        404; 409 when no device, or another one, waits, or the test is over.
    """

    def job(connection: Connection, seat: Seat, at: datetime) -> None:
        if seat.state.started_at is None:
            check_hour(seat.rules, seat.session, at)
        waiting = seat.state.waiting
        if device is not None and waiting is not None and device != waiting:
            sentence = f"Another device waits by now, {waiting}: look whose it is, then authorise it."
            raise Problem(NOT_NOW, sentence, reason="other-device")
        happen(
            connection,
            seat.standing,
            Kind.AUTHORISED,
            at,
            who(caller),
            data={"device": waiting},
            minutes=seat.rules.authorised_minutes,
        )

    await _act(context, caller, session_id, candidate_id, job, opened=True)


async def pause(context: Context, caller: Staff, session_id: str, candidate_id: str, why: str | None = None) -> None:
    """Stop the clock of a test and hide its item; raise a 404 or 409 problem when that cannot be."""
    await _happen(context, caller, session_id, candidate_id, Kind.PAUSED, why)


async def resume(context: Context, caller: Staff, session_id: str, candidate_id: str, why: str | None = None) -> None:
    """Let the clock of a paused test go on; raise a 404 or 409 problem when that cannot be."""
    await _happen(context, caller, session_id, candidate_id, Kind.RESUMED, why)


async def dismiss(context: Context, caller: Staff, session_id: str, candidate_id: str, why: str) -> None:
    """Dismiss a reported problem: the same item waits, and its clock goes on; raise a 404 or 409 problem."""
    await _happen(context, caller, session_id, candidate_id, Kind.DISMISSED, why)


async def end_test(context: Context, caller: Staff, session_id: str, candidate_id: str, end: str, why: str) -> None:
    """End a test, for a technical reason or by the invigilator's decision.

    Parameters
    ----------
    context, caller, session_id, candidate_id
    end : {"technical", "invigilator"}
    why : str
        In words.

    Raises
    ------
    Problem
        404; 409 when no test is under way.
    """
    assert end in ENDS

    def job(connection: Connection, seat: Seat, at: datetime) -> None:
        possible(seat.standing, Kind.ENDED, at)
        cut_off(connection, seat.standing, at, end, who(caller), why)

    await _act(context, caller, session_id, candidate_id, job)


async def accept(context: Context, caller: Staff, session_id: str, candidate_id: str, why: str) -> None:
    """Accept a reported problem: the item and its topic leave the test, and the clock is given back since the question.

    The next item is asked at the moment of acceptance.

    Raises
    ------
    Problem
        404; 409 when no reported problem waits.
    """
    for _ in range(ATTEMPTS):
        seat = await _seat(context, caller, session_id, candidate_id)
        decided = await context.read(partial(_without_item, context, seat))
        store = partial(_accepted, decided, seat.state.version, who(caller), why)
        try:
            stored = await act(context, seat.candidate, store)
        except CrossedError:
            continue
        context.live_runs.put(stored.run.id, stored)
        return
    raise crossed()


def _without_item(context: Context, seat: Seat, connection: Connection) -> tuple[Live, State, Decision]:
    """Decide what is asked instead of the item that waits, and store nothing."""
    possible(seat.standing, Kind.ACCEPTED, seat.state.at)
    run = run_of(connection, seat.run_id)
    assert run is not None
    live = read_live(connection, context.pins, run)
    assert live.pending is not None
    state = withdraw(live.test.table, live.state, live.pending)
    u = uniform(run.seed, live.position + 1)
    return live, state, decide(live.test.design, live.test.table, state, u)


def _accepted(
    decided: tuple[Live, State, Decision],
    version: int,
    by: str,
    why: str,
    connection: Connection,
    seat: Seat,
    at: datetime,
) -> Live:
    """Store that the item was withdrawn, and the next question, or the end when nothing is left to ask."""
    if seat.state.version != version:
        raise CrossedError
    live, state, decision = decided
    assert live.pending is not None
    reply = Fact(live.run.id, live.position, WITHDRAWN, at, item=live.test.snapshot.ids[live.pending])
    after = after_reply(live, reply, state, decision)
    now = happen(connection, seat.standing, Kind.ACCEPTED, at, by, why)
    if after.ended is None:
        add_facts(connection, (reply, question(after, at)))
    else:
        add_facts(connection, (reply, after.ended))
        finish_run(connection, live.run.id, at)
        end_at(connection, now, at, end_of(after.ended), "server")
    return after


async def _happen(
    context: Context, caller: Staff, session_id: str, candidate_id: str, kind: Kind, why: str | None
) -> None:
    def job(connection: Connection, seat: Seat, at: datetime) -> None:
        happen(connection, seat.standing, kind, at, who(caller), why)

    await _act(context, caller, session_id, candidate_id, job)


async def _act(
    context: Context, caller: Staff, session_id: str, candidate_id: str, job: Act[None], opened: bool = False
) -> None:
    seat = await _seat(context, caller, session_id, candidate_id)
    await act(context, seat.candidate, job, opened)


async def _seat(context: Context, caller: Staff, session_id: str, candidate_id: str) -> Seat:
    """Return the seat of a candidate in a session that the caller may know of; raise a 404 problem."""

    def read(connection: Connection) -> Seat:
        session = required_session(connection, caller, session_id)
        candidate = required_candidate(connection, session, candidate_id)
        return seat_of(connection, context.pins, candidate.id)

    return await settled(context, await context.read(read))
