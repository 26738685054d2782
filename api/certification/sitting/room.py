"""What the invigilator sees: everybody in the room, and how their tests stand now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from api.certification.callers import Staff, required_session
from api.certification.records import Session
from api.certification.repository import candidates_of_session, events_of_candidates
from api.certification.sitting.seat import Seat, taken
from api.certification.sitting.settle import settled
from api.certification.sitting.views import authorised, clock_view, progress
from api.certification.states import Phase
from api.clock import iso
from api.context import Context
from api.runs.live import Live
from api.runs.lookup import current_run


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
    shown = []
    for seat in seats:
        seat = await settled(context, seat)
        run_id = seat.candidate.run_id
        shown.append((seat, None if run_id is None else await current_run(context, run_id)))
    at = context.clock()
    return {
        "session": {"id": session.id, "state": session.state, "access_code": session.access_code},
        "at": iso(at),
        "candidates": [_candidate(seat, live, at) for seat, live in shown],
    }


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
