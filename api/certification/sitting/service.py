"""What a candidate does in the room, besides starting and answering: going on elsewhere, a problem, leaving."""

from datetime import datetime

from sqlalchemy import Connection

from api.certification.callers import Sitter
from api.certification.happening import happen, possible
from api.certification.sitting.acting import (
    act,
    require_authorised,
    require_in_use,
    require_running,
)
from api.certification.sitting.answering import answer
from api.certification.sitting.entering import Entered, enter
from api.certification.sitting.seat import Seat, device_name
from api.certification.sitting.settle import CANDIDATE, cut_off, seated
from api.certification.sitting.starting import start
from api.certification.sitting.views import sitting_view
from api.certification.states import UNDER_WAY, Kind
from api.clock import iso
from api.context import Context
from api.problems import NOT_PENDING, Problem
from api.runs.repository import last_fact

__all__ = ["Entered", "answer", "come_back", "enter", "leave", "report", "sitting_view", "start"]

WHO = "candidate"


async def come_back(context: Context, sitter: Sitter) -> None:
    """Go on with the test on the device that the invigilator authorised; the one in use until then is refused.

    Sent again from the device in use, nothing happens.

    Raises
    ------
    Problem
        401, or 409 when the device is not authorised, no test is under way, or its time is up.
    """

    def job(connection: Connection, seat: Seat, at: datetime) -> None:
        if seat.candidate.device_hash == sitter.token_hash and seat.state.phase in UNDER_WAY:
            return
        require_authorised(seat, sitter, Kind.RETURNED, at)
        changes = {"device_hash": sitter.token_hash, "waiting_hash": None}
        data = {"device": device_name(sitter.token_hash)}
        happen(connection, seat.standing, Kind.RETURNED, at, WHO, data=data, changes=changes)

    await seated(context, sitter.candidate.id)
    await act(context, sitter.candidate, job, opened=True)


async def report(context: Context, sitter: Sitter, position: int, item: str, why: str) -> None:
    """Report a problem with the pending item: the clock stands, and the item is hidden, until the invigilator decides.

    Raises
    ------
    Problem
        401; 409 when another item is pending, or the clock does not run.
    """

    def job(connection: Connection, seat: Seat, at: datetime) -> None:
        require_in_use(seat, sitter)
        known = seat.state.report
        if known is not None and (known["position"], known["item"]) == (position, item):
            return  # sent again
        require_running(seat)
        asked = last_fact(connection, seat.run_id)
        if (asked.position, asked.item) != (position, item):
            raise Problem(NOT_PENDING, "Another item is pending: report a problem with that one only.")
        data = {"position": position, "item": item, "asked_at": iso(asked.at)}
        happen(connection, seat.standing, Kind.REPORTED, max(at, asked.at), WHO, why, data)

    await seated(context, sitter.candidate.id)
    await act(context, sitter.candidate, job)


async def leave(context: Context, sitter: Sitter) -> None:
    """End the test, as the candidate wishes: what was answered counts. Sent again, nothing happens.

    Raises
    ------
    Problem
        401, or 409 when there is no test to end.
    """

    def job(connection: Connection, seat: Seat, at: datetime) -> None:
        require_in_use(seat, sitter)
        if seat.state.end == CANDIDATE:
            return
        possible(seat.standing, Kind.ENDED, at)
        cut_off(connection, seat.standing, at, CANDIDATE, WHO)

    await seated(context, sitter.candidate.id)
    await act(context, sitter.candidate, job)
