"""Doing something to a candidate in one transaction of the writer, tried again when others were faster."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.certification.callers import Sitter
from api.certification.happening import possible
from api.certification.records import Candidate
from api.certification.repository import session_of
from api.certification.session_states import SessionPhase
from api.certification.sitting.seat import Seat, clock_stands, device_name, seat_of, time_is_up
from api.certification.states import Kind, Phase
from api.context import Context
from api.organisations.callers import unauthenticated
from api.problems import NOT_NOW, UNAVAILABLE, Problem

Result = TypeVar("Result")
Act = Callable[[Connection, Seat, datetime], Result]
"""What a request does, with the candidate's row locked, at a moment not before their last fact."""

ATTEMPTS: Final = 5


class CrossedError(Exception):
    """Something else happened to the candidate meanwhile: what was prepared does not hold any more."""


async def act(context: Context, candidate: Candidate, job: Act[Result], opened: bool = False) -> Result:
    """Do something to a candidate whose time is not up.

    Parameters
    ----------
    context : Context
    candidate : Candidate
        As known before: read again in the transaction.
    job : function of (connection, seat, at)
    opened : bool
        Whether the session must be open, and stay so until the transaction ends.

    Raises
    ------
    Problem
        409 when the time is up, and whatever the job raises.
    CrossedError
        When the job raises it.
    """

    def store(connection: Connection) -> Result:
        if opened:
            _require_open(connection, candidate.session_id)
        seat = seat_of(connection, context.pins, candidate.id, lock=True)
        at = context.clock()
        if seat.over(at):
            raise time_is_up()
        return job(connection, seat, max(at, seat.state.at))

    for _ in range(ATTEMPTS):
        try:
            return await context.write(store)
        except IntegrityError:
            continue
    raise crossed()


def crossed() -> Problem:
    """Build the problem for a request that others kept overtaking."""
    return Problem(UNAVAILABLE, "Several requests crossed: send the same one again.", headers={"Retry-After": "1"})


def require_running(seat: Seat) -> None:
    """Raise a 409 problem when the clock of the test does not run."""
    phase = seat.state.phase
    if phase in (Phase.PAUSED, Phase.FROZEN):
        raise clock_stands(phase)
    if phase is not Phase.RUNNING:
        raise Problem(NOT_NOW, f"No test is under way: the candidate is {phase.value}.", state=phase.value)


def require_authorised(seat: Seat, sitter: Sitter, kind: Kind, at: datetime) -> None:
    """Raise a problem unless the device waits, and the invigilator has authorised it to start, or to go on."""
    require_known(seat, sitter)
    possible(seat.standing, kind, at, {"device": device_name(sitter.token_hash)})
    if seat.candidate.waiting_hash != sitter.token_hash:
        raise unauthenticated()


def require_known(seat: Seat, sitter: Sitter) -> None:
    """Raise a 401 problem unless the device is the candidate's: in use, or waiting."""
    if sitter.token_hash not in (seat.candidate.device_hash, seat.candidate.waiting_hash):
        raise unauthenticated()


def require_in_use(seat: Seat, sitter: Sitter) -> None:
    """Raise a problem unless the device is the one on which the test is taken."""
    if seat.candidate.device_hash == sitter.token_hash:
        return
    require_known(seat, sitter)
    raise Problem(
        NOT_NOW,
        "This device does not take the test: ask the invigilator, then start or go on.",
        state=seat.state.phase.value,
    )


def _require_open(connection: Connection, session_id: str) -> None:
    """Lock the session, before any of its candidates, and raise a 409 problem when it is not open."""
    session = session_of(connection, session_id, lock=True)
    assert session is not None
    if session.state != SessionPhase.OPEN:
        raise Problem(
            NOT_NOW, f"The session is not open, but {session.state}: ask the invigilator.", state=session.state
        )
