"""What a candidate is shown of their test."""

from datetime import datetime, timedelta
from typing import Any, Final

from api.certification.callers import Sitter
from api.certification.sitting.acting import require_known
from api.certification.sitting.seat import Seat, device_name
from api.certification.sitting.settle import CUT_OFF, seated
from api.certification.states import UNDER_WAY, CandidateState, Phase
from api.clock import iso
from api.context import Context
from api.identifiers import written_access_code
from api.runs.live import Live
from api.runs.lookup import current_run
from api.runs.view import live_pending, progress_view

WAIT, START, RETURN, ANSWER, PAUSED, REPORTED, OVER = (
    *("wait", "start", "return", "answer", "paused", "reported", "over"),
)
"""What the candidate is to do: wait for the invigilator, start, go on on this device, answer; or the clock stands
because of a pause or of a reported problem; or the test is over."""

_IN_USE: Final = {Phase.RUNNING: ANSWER, Phase.PAUSED: PAUSED, Phase.FROZEN: REPORTED}


async def sitting_view(context: Context, sitter: Sitter) -> dict[str, Any]:
    """Show a candidate, on the device that asks, where their test stands; the item is shown while the clock runs.

    Raises
    ------
    Problem
        401 on a device that is not the candidate's any more.
    """
    seat = await seated(context, sitter.candidate.id)
    require_known(seat, sitter)
    live = None if seat.candidate.run_id is None else await current_run(context, seat.candidate.run_id)
    at = context.clock()
    state, candidate, session = seat.shown(at), seat.candidate, seat.session
    in_use = candidate.device_hash == sitter.token_hash
    device = device_name(sitter.token_hash)
    answering = in_use and state.phase is Phase.RUNNING and live is not None
    if answering and live is not None and live.pending is None:  # it has just ended: look again
        return await sitting_view(context, sitter)
    over = in_use and state.ended_at is not None and live is not None
    return {
        "candidate": {
            "id": candidate.id,
            "first_name": candidate.first_name,
            "last_name": candidate.last_name,
            "locale": candidate.locale,
        },
        "session": {
            "id": session.id,
            "state": session.state,
            "date": session.date,
            "time": session.time,
            "zone": session.zone,
            "place": session.place,
            "room": session.room,
        },
        "phase": state.phase.value,
        "to_do": to_do(state, device, in_use, at),
        "device": device,
        "in_use": in_use,
        "clock": clock_view(seat, at),
        "pending": live_pending(live) if answering and live is not None else None,
        "progress": None if live is None else progress(live),
        "end": state.end,
        "access_code": written_access_code(live.run.access_code) if over and live is not None else None,
    }


def to_do(state: CandidateState, device: str, in_use: bool, at: datetime) -> str:
    """Say in one word what the person at a device is to do."""
    if in_use:
        return _IN_USE.get(state.phase, OVER)
    if state.phase is not Phase.ENROLLED and state.phase not in UNDER_WAY:
        return OVER
    if authorised(state, at) != device:
        return WAIT
    return START if state.phase is Phase.ENROLLED else RETURN


def authorised(state: CandidateState, at: datetime) -> str | None:
    """Device that may start, or go on, at a moment."""
    until = state.authorised_until
    return state.authorised if until is not None and at < until else None


def clock_view(seat: Seat, at: datetime) -> dict[str, Any]:
    """Show the clock of a test, in seconds and moments of the server."""
    used = seat.used(at)
    left = max(seat.limit - used, timedelta())
    under_way = seat.shown(at).phase in UNDER_WAY
    due = seat.deadline if under_way else None
    started = seat.state.started_at
    return {
        "at": iso(at),
        "started_at": None if started is None else iso(started),
        "limit": seat.limit.total_seconds(),
        "used": min(used, seat.limit).total_seconds(),
        "remaining": left.total_seconds(),
        "deadline": None if due is None else iso(due),
        "stands": under_way and due is None,
    }


def progress(live: Live) -> dict[str, int]:
    """Show how far a test is; the item that waited when it was cut off is not counted."""
    shown = progress_view(live, live.position)
    if live.ended is None or live.ended.reason not in CUT_OFF:
        return shown
    return {name: count - 1 for name, count in shown.items()}
