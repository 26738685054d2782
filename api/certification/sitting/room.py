"""What the invigilator sees: everybody in the room, and how their tests stand now."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from api.certification.callers import required_session
from api.certification.records import Session
from api.certification.repository import candidates_of_session, events_of_candidates
from api.certification.sitting.seat import Seat, taken
from api.certification.sitting.settle import settled
from api.certification.sitting.views import authorised, clock_view, progress
from api.certification.states import Phase
from api.clock import iso
from api.context import Context
from api.organisations.callers import Staff
from api.runs.live import Live
from api.runs.lookup import read_current


async def room_view(context: Context, caller: Staff, session_id: str) -> dict[str, Any]:
    """Show the candidates of a session, by name, with their devices, clocks and reported problems.

    Raises
    ------
    Problem
        404 when the caller may not know of the session.
    """

    def read(connection: Connection) -> tuple[Session, list[Seat]]:
        session = required_session(connection, caller, session_id)
        rules = context.pins.rules(connection, session.rules_hash)
        events = events_of_candidates(connection, session.id)
        enrolled = candidates_of_session(connection, session.id)
        return session, [
            taken(candidate, session, rules, events[candidate.id])
            for candidate in enrolled
            if candidate.state != Phase.REMOVED
        ]

    session, seats = await context.read(read)
    seats = [await settled(context, seat) for seat in seats]
    lives = await context.read(partial(_lives, context, seats))
    for live in lives.values():
        known = context.live_runs.get(live.run.id)
        if known is None or known.position < live.position:
            context.live_runs.put(live.run.id, live)
    at = context.clock()
    return {
        "session": {"id": session.id, "state": session.state, "access_code": session.access_code},
        "at": iso(at),
        "candidates": [_candidate(seat, lives.get(seat.candidate.run_id), at) for seat in seats],
    }


def _lives(context: Context, seats: Sequence[Seat], connection: Connection) -> dict[str | None, Live]:
    """Read where the runs of all candidates stand."""
    ids = [seat.candidate.run_id for seat in seats if seat.candidate.run_id is not None]
    return {run_id: read_current(context.pins, context.live_runs.get(run_id), run_id, connection) for run_id in ids}


def _candidate(seat: Seat, live: Live | None, at: datetime) -> dict[str, Any]:
    state, candidate = seat.shown(at), seat.candidate
    until = state.authorised_until
    return {
        "id": candidate.id,
        "first_name": candidate.first_name,
        "last_name": candidate.last_name,
        "birth_date": candidate.birth_date,
        "extra_time": candidate.extra_time,
        "accessible": list(candidate.accessible),
        "equipment": candidate.equipment,
        "phase": state.phase.value,
        "device": state.device,
        "waiting": state.waiting,
        "authorised": authorised(state, at),
        "authorised_until": None if until is None else iso(until),
        "clock": clock_view(seat, at),
        "progress": None if live is None else progress(live),
        "report": None if state.report is None or live is None else _report(state.report, live),
        "end": state.end,
        "end_why": state.end_why,
        "ended_at": None if state.ended_at is None else iso(state.ended_at),
    }


def _report(report: Mapping[str, Any], live: Live) -> dict[str, Any]:
    """Show a reported problem with its item, which the invigilator is to judge."""
    bank = live.test.bank
    return {
        "position": report["position"],
        "item": bank.views[bank.snapshot.row(report["item"])],
        "why": report["why"],
    }
