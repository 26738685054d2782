"""The candidates of a session: who they are, what changes before their test begins, and who is taken off the list."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from api.certification.callers import required_candidate, required_session
from api.certification.happening import happen, standing
from api.certification.records import Candidate, Session
from api.certification.repository import candidates_of_session
from api.certification.session_states import SessionPhase
from api.certification.sessions.candidate_schemas import CandidateChange
from api.certification.sessions.feasibility import Need, required_feasible, told_findings
from api.certification.sessions.writing import written
from api.certification.states import Kind, Phase
from api.clock import iso
from api.context import Context
from api.organisations.callers import Staff, who
from api.pagination import page, parsed_cursor
from api.problems import (
    INVALID_REQUEST,
    NOT_NOW,
    Problem,
)
from engine.errors import BankError
from itembank.items import FLAGS

ACCOMMODATIONS = ("extra_time", "accessible", "equipment", "locale")
CHANGING = (SessionPhase.DRAFT, SessionPhase.OPEN)
"""States of a session whose list of candidates may change."""
_SHOWN = (
    *("id", "session_id", "learner_id", "first_name", "last_name", "birth_date", "extra_time", "equipment", "locale"),
    *("state", "version", "run_id"),
)
_OLDEST = "1900-01-01"


def candidate_view(candidate: Candidate, minutes: float) -> dict[str, Any]:
    """Show a candidate to the staff; ``minutes`` is the time of the test."""
    shown = {name: getattr(candidate, name) for name in _SHOWN}
    return {
        **shown,
        "accessible": list(candidate.accessible),
        "minutes": candidate.limit(minutes).total_seconds() / 60,
        "created_at": iso(candidate.created_at),
    }


async def list_candidates(
    context: Context, caller: Staff, session_id: str, cursor: str | None, limit: int
) -> dict[str, Any]:
    """Show the candidates of a session by name, page by page, those taken off the list too."""
    after = parsed_cursor(cursor)

    def read(connection: Connection) -> tuple[Sequence[Candidate], float]:
        session = required_session(connection, caller, session_id)
        found = candidates_of_session(connection, session.id)
        places = [place for place, candidate in enumerate(found, 1) if candidate.id == after]
        start = places[0] if places else 0 if after is None else len(found)
        rules = context.pins.rules(connection, session.rules_hash)
        return found[start : start + limit + 1], rules.minutes

    found, minutes = await context.read(read)
    shown, following = page(found, [candidate.id for candidate in found], limit)
    return {"items": [candidate_view(candidate, minutes) for candidate in shown], "next": following}


async def find_candidate(context: Context, caller: Staff, session_id: str, candidate_id: str) -> dict[str, Any]:
    """Show a candidate of a session; raise a 404 problem when there is none."""

    def read(connection: Connection) -> dict[str, Any]:
        session = required_session(connection, caller, session_id)
        rules = context.pins.rules(connection, session.rules_hash)
        return candidate_view(required_candidate(connection, session, candidate_id), rules.minutes)

    return await context.read(read)


async def change_candidate(
    context: Context, caller: Staff, session_id: str, candidate_id: str, change: CandidateChange
) -> dict[str, Any]:
    """Change the names or the accommodations of a candidate whose test has not begun.

    Raises
    ------
    Problem
        404 unknown session or candidate; 409 when the test has begun or the session takes no change; 422 when the bank
        cannot serve the candidate so.
    """
    given: dict[str, Any] = change.given()
    if "accessible" in given:
        given["accessible"] = [flag for flag in FLAGS if flag in given["accessible"]]

    def proved(connection: Connection) -> None:
        session = required_session(connection, caller, session_id)
        candidate = required_candidate(connection, session, candidate_id)
        if "birth_date" in given:
            checked_birth(given["birth_date"], session)
        changed = Candidate(**{**vars(candidate), **given})
        if Need.of(changed) != Need.of(candidate):
            check_served(context, connection, session, Need.of(changed))

    def store(connection: Connection) -> dict[str, Any]:
        session = required_session(connection, caller, session_id, lock=True)
        candidate = required_candidate(connection, session, candidate_id)
        rules = context.pins.rules(connection, session.rules_hash)
        if not given:
            return candidate_view(candidate, rules.minutes)
        check_takes(session)
        now = standing(connection, candidate.id, lock=True)
        told = {name: given[name] for name in ACCOMMODATIONS if name in given}
        told |= {"changed": sorted(given)}  # of names, that they changed: facts are kept for ever
        happen(connection, now, Kind.CHANGED, context.clock(), who(caller), data=told, changes=given)
        return candidate_view(required_candidate(connection, session, candidate_id), rules.minutes)

    await context.read(proved)
    return await written(context, store)


async def remove_candidate(
    context: Context, caller: Staff, session_id: str, candidate_id: str, why: str | None = None
) -> None:
    """Take a candidate whose test has not begun off the list; doing it again changes nothing.

    Raises
    ------
    Problem
        404 unknown session or candidate; 409 when the test has begun.
    """

    def store(connection: Connection) -> None:
        session = required_session(connection, caller, session_id, lock=True)
        candidate = required_candidate(connection, session, candidate_id)
        now = standing(connection, candidate.id, lock=True)
        if now.state.phase is not Phase.REMOVED:
            check_takes(session)
            devices = {"device_hash": None, "waiting_hash": None}
            happen(connection, now, Kind.REMOVED, context.clock(), who(caller), why, changes=devices)

    await written(context, store)


def check_takes(session: Session) -> None:
    """Raise a 409 problem when the list of candidates cannot change any more."""
    if session.state not in CHANGING:
        raise Problem(
            NOT_NOW,
            f"The list of candidates cannot change any more: the session is {session.state}.",
            state=session.state,
            reason="list-closed",
        )


def check_served(context: Context, connection: Connection, session: Session, need: Need) -> None:
    """Refuse a language that the bank has not; in an open session, also what the bank cannot serve."""
    try:
        context.served.bank(need.locale)
    except BankError:
        raise Problem(
            INVALID_REQUEST,
            f"The bank has no item in the language {need.locale!r}: name another locale.",
            reason="no-locale",
        ) from None
    if session.state == SessionPhase.OPEN:
        required_feasible(told_findings(context, context.pins.rules(connection, session.rules_hash), {need: ()}))


def checked_birth(day: str, session: Session) -> str:
    """Return a date of birth that is possible; raise 422."""
    if not _OLDEST <= day < session.date:
        raise Problem(
            INVALID_REQUEST,
            f"{day} is no date of birth of somebody who sits on {session.date}: correct it.",
            reason="birth-date",
        )
    return date.fromisoformat(day).isoformat()
