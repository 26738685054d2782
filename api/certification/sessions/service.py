"""Sessions of an organisation: plan, change and cancel them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from api.certification.callers import required_session
from api.certification.happening import happen, standing
from api.certification.records import Session
from api.certification.repository import (
    add_session,
    assign,
    candidates_of_session,
    invigilators_of,
    session_of,
    sessions_of_member,
    sessions_of_organisation,
)
from api.certification.session_states import SessionKind, SessionPhase
from api.certification.sessions.happening import session_happen
from api.certification.sessions.planning import (
    checked_day,
    checked_invigilators,
    checked_window,
    checked_zone,
    starts_at,
)
from api.certification.sessions.schemas import SessionChange, SessionRequest
from api.certification.sessions.writing import written
from api.certification.states import Kind, Phase
from api.certification.tables import candidates
from api.clock import iso
from api.context import Context
from api.idempotency import Once, created_before, remember
from api.identifiers import new_access_code, new_id
from api.organisations.callers import Staff, required_organisation, who
from api.organisations.records import ADMIN, Member
from api.pagination import page, parsed_cursor
from api.problems import NOT_NOW, Problem
from api.storage import insert_missing
from api.tables import designs
from engine.certification import CertificationDesign, content_hash, to_dict

CHANGEABLE_WHEN_OPEN = frozenset({"room", "invigilators"})
_SHOWN = ("id", "organisation_id", "state", "version", "date", "time", "zone", "place", "room", "window", "access_code")
_NOT_BEGUN = (Phase.ENROLLED, Phase.ABSENT, Phase.REMOVED)


def session_view(connection: Connection, context: Context, session: Session) -> dict[str, Any]:
    """Show a session."""
    rules = context.pins.rules(connection, session.rules_hash)
    enrolled = select(func.count()).where(
        candidates.c.session_id == session.id, candidates.c.state != Phase.REMOVED.value
    )
    return {
        **{name: getattr(session, name) for name in _SHOWN},
        "starts_at": iso(starts_at(session)),
        "invigilators": invigilators_of(connection, session.id),
        "candidates": connection.execute(enrolled).scalar_one(),
        "rules": {"name": rules.name, "version": rules.version, "hash": session.rules_hash, "minutes": rules.minutes},
        "created_at": iso(session.created_at),
    }


async def find_session(context: Context, caller: Staff, session_id: str) -> dict[str, Any]:
    """Show a session that the caller may know of; raise a 404 problem when there is none."""
    return await context.read(
        lambda connection: session_view(connection, context, required_session(connection, caller, session_id))
    )


async def list_sessions(
    context: Context, caller: Staff, organisation_id: str, cursor: str | None, limit: int
) -> dict[str, Any]:
    """Show the sessions of an organisation, the latest first, by pages; to an invigilator, those assigned to them."""
    after = parsed_cursor(cursor)

    def read(connection: Connection) -> dict[str, Any]:
        organisation = required_organisation(connection, caller, organisation_id)
        if isinstance(caller, Member) and caller.role != ADMIN:
            own = sessions_of_member(connection, caller.id)
            found = [session for session in own if after is None or session.id < after][: limit + 1]
        else:
            found = sessions_of_organisation(connection, organisation.id, after, limit + 1)
        shown, following = page(found, [session.id for session in found], limit)
        return {"items": [session_view(connection, context, session) for session in shown], "next": following}

    return await context.read(read)


async def create_session(
    context: Context, caller: Staff, organisation_id: str, order: SessionRequest, once: Once | None = None
) -> dict[str, Any]:
    """Plan a session under the rules in force, which it pins; the same again when ``once`` was used before.

    Raises
    ------
    Problem
        404 unknown organisation; 422 when the zone, the date, the window or an invigilator does not suit.
    """
    rules = context.certification

    def store(connection: Connection) -> dict[str, Any]:
        organisation = required_organisation(connection, caller, organisation_id)
        before = created_before(connection, once)
        known = None if before is None else session_of(connection, before)
        if known is not None:
            return session_view(connection, context, known)
        at = context.clock()
        session = Session(
            id=new_id(),
            organisation_id=organisation.id,
            rules_hash=content_hash(rules),
            date=checked_day(order.date, checked_zone(order.zone), at),
            time=order.time,
            zone=order.zone,
            place=order.place,
            room=order.room,
            window=checked_window(rules, order.date, order.window),
            access_code=new_access_code(),
            state=SessionPhase.DRAFT.value,
            version=0,
            created_at=at,
        )
        insert_missing(connection, designs, {"hash": session.rules_hash, "content": to_dict(rules), "created_at": at})
        add_session(connection, session)
        assign(connection, session.id, checked_invigilators(connection, organisation.id, order.invigilators))
        session = session_happen(connection, session, SessionKind.CREATED, at, who(caller), data=order.model_dump())
        remember(connection, once, session.id, at)
        return session_view(connection, context, session)

    return await written(context, store)


async def change_session(context: Context, caller: Staff, session_id: str, change: SessionChange) -> dict[str, Any]:
    """Change a draft; of an open session, the room and the invigilators alone.

    Raises
    ------
    Problem
        404 unknown session; 409 when the state does not allow it; 422 when what is given does not suit.
    """
    given = change.given()

    def store(connection: Connection) -> dict[str, Any]:
        session = required_session(connection, caller, session_id, lock=True)
        at = context.clock()
        fixed = sorted(set(given) - CHANGEABLE_WHEN_OPEN)
        if session.state == SessionPhase.OPEN and fixed:
            raise Problem(
                NOT_NOW,
                f"The session is open, and its {' and its '.join(fixed)} cannot change any more: cancel it and plan "
                "another.",
                state=session.state,
                reason="open-fixed",
            )
        if not given:
            return session_view(connection, context, session)
        columns = {name: value for name, value in given.items() if name != "invigilators"}
        columns |= _placed(context.pins.rules(connection, session.rules_hash), session, columns, at)
        session = session_happen(
            connection, session, SessionKind.CHANGED, at, who(caller), data={**given, **columns}, changes=columns
        )
        if change.invigilators is not None:
            chosen = checked_invigilators(connection, session.organisation_id, change.invigilators)
            if session.state == SessionPhase.OPEN and not chosen:
                raise Problem(
                    NOT_NOW,
                    "An open session needs an invigilator: name one.",
                    state=session.state,
                    reason="no-invigilator",
                )
            assign(connection, session.id, chosen)
        return session_view(connection, context, session)

    return await written(context, store)


async def cancel_session(context: Context, caller: Staff, session_id: str, why: str) -> dict[str, Any]:
    """Cancel a session in which no test has begun; its candidates are free for another.

    Raises
    ------
    Problem
        404 unknown session; 409 when a test has begun, or the session is finalised or cancelled already.
    """

    def store(connection: Connection) -> dict[str, Any]:
        session = required_session(connection, caller, session_id, lock=True)
        at, by = context.clock(), who(caller)
        enrolled = [
            standing(connection, candidate.id, lock=True) for candidate in candidates_of_session(connection, session.id)
        ]
        if any(one.state.phase not in _NOT_BEGUN for one in enrolled):
            raise Problem(
                NOT_NOW,
                "A test has begun in this session: finalise it instead.",
                state=session.state,
                reason="test-begun",
            )
        session = session_happen(connection, session, SessionKind.CANCELLED, at, by, why)
        for one in enrolled:
            if one.state.phase is Phase.ENROLLED:
                happen(connection, one, Kind.REMOVED, at, by, why, changes={"waiting_hash": None})
        return session_view(connection, context, session)

    return await written(context, store)


def _placed(rules: CertificationDesign, session: Session, columns: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Check what says when a session is; its window follows its date unless it is named."""
    zone = checked_zone(columns.get("zone", session.zone))
    day = columns.get("date", session.date)
    if day != session.date:
        checked_day(day, zone, at)
    if "date" not in columns and "window" not in columns:
        return {}
    return {"window": checked_window(rules, day, columns.get("window"))}
