"""Incidents: what happened in the room, or to a candidate, in the words of who saw it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from api.certification.callers import required_candidate, required_session
from api.certification.happening import happen, standing
from api.certification.repository import events_of_candidates, session_events
from api.certification.session_states import SessionKind, SessionPhase
from api.certification.sessions.happening import session_happen
from api.certification.sessions.writing import written
from api.certification.states import Event, Kind
from api.clock import iso
from api.context import Context
from api.organisations.callers import Staff, who
from api.problems import NOT_NOW, Problem


async def note_incident(
    context: Context, caller: Staff, session_id: str, why: str, candidate_id: str | None
) -> dict[str, Any]:
    """Note something that happened in the room, or to one candidate."""

    def store(connection: Connection) -> dict[str, Any]:
        session = required_session(connection, caller, session_id, lock=True)
        at, by = context.clock(), who(caller)
        if candidate_id is None:
            session_happen(connection, session, SessionKind.INCIDENT, at, by, why)
            return {"at": iso(at), "who": by, "why": why, "candidate_id": None}
        if session.state not in (SessionPhase.OPEN, SessionPhase.FINALISED, SessionPhase.PUBLISHED):
            raise Problem(
                NOT_NOW,
                "No incident of the session can be noted now: open it first.",
                state=session.state,
                reason="session-not-open",
            )
        candidate = required_candidate(connection, session, candidate_id)
        now = happen(connection, standing(connection, candidate.id, lock=True), Kind.INCIDENT, at, by, why)
        return {"at": iso(now.state.at), "who": by, "why": why, "candidate_id": candidate.id}

    return await written(context, store)


async def incidents_of(context: Context, caller: Staff, session_id: str) -> dict[str, Any]:
    """Show every incident of a session and of its candidates, in order."""

    def read(connection: Connection) -> list[tuple[datetime, dict[str, Any]]]:
        session = required_session(connection, caller, session_id)
        each: dict[str | None, list[Event]] = {None: session_events(connection, session.id)}
        each.update(events_of_candidates(connection, session.id).items())
        return [
            (event.at, {"at": iso(event.at), "who": event.who, "why": event.why or "", "candidate_id": candidate_id})
            for candidate_id, events in each.items()
            for event in events
            if event.kind == Kind.INCIDENT
        ]

    found = await context.read(read)
    return {"items": [shown for _, shown in sorted(found, key=lambda pair: pair[0])]}
