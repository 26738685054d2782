"""Opening a session, which proves first that the bank can serve everybody enrolled."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection

from api.certification.callers import required_session
from api.certification.repository import invigilators_of
from api.certification.session_states import SessionKind, SessionPhase
from api.certification.sessions.feasibility import Need, needs_of, required_feasible, told_findings
from api.certification.sessions.happening import session_happen
from api.certification.sessions.planning import check_not_over
from api.certification.sessions.service import session_view
from api.certification.sessions.writing import ATTEMPTS, crossed, written
from api.context import Context
from api.organisations.callers import Staff, who
from api.organisations.repository import member_of
from api.problems import NOT_NOW, Problem
from itembank.checks.finding import Severity

Needs = Mapping[Need, Sequence[str]]
Findings = list[dict[str, Any]]


async def open_session(context: Context, caller: Staff, session_id: str) -> dict[str, Any]:
    """Open a session: from now on candidates may come in.

    Raises
    ------
    Problem
        404 unknown session; 409 when it is no draft, is over, or has no candidate or no invigilator; 422 when the bank
        cannot serve the test to everybody, with the constraints that fail.
    """
    for _ in range(ATTEMPTS):
        needs, found = await context.read(partial(_proved, context, caller, session_id))
        opened = await written(context, partial(_open, context, caller, session_id, needs, found))
        if opened is not None:
            return opened
    raise crossed()


async def session_feasibility(context: Context, caller: Staff, session_id: str) -> dict[str, Any]:
    """Show whether the bank can serve the test to everybody enrolled, and what fails."""
    _, found = await context.read(partial(_proved, context, caller, session_id))
    return {"feasible": all(finding["severity"] != Severity.ERROR for finding in found), "findings": found}


def _proved(context: Context, caller: Staff, session_id: str, connection: Connection) -> tuple[Needs, Findings]:
    session = required_session(connection, caller, session_id)
    needs = needs_of(connection, session.id)
    return needs, told_findings(context, context.pins.rules(connection, session.rules_hash), needs)


def _open(
    context: Context, caller: Staff, session_id: str, needs: Needs, found: Findings, connection: Connection
) -> dict[str, Any] | None:
    """Open what was proved; None when somebody was enrolled meanwhile whom the proof does not cover."""
    session = required_session(connection, caller, session_id, lock=True)
    if session.state == SessionPhase.DRAFT:
        check_not_over(context.pins.rules(connection, session.rules_hash), session, context.clock())
        present = needs_of(connection, session.id)
        if not present:
            raise Problem(
                NOT_NOW,
                "The session has no candidate: enrol somebody first.",
                state=session.state,
                reason="no-candidate",
            )
        members = (
            member_of(connection, session.organisation_id, one) for one in invigilators_of(connection, session.id)
        )
        if not any(member is not None and member.revoked_at is None for member in members):
            raise Problem(
                NOT_NOW, "The session has no invigilator: name one first.", state=session.state, reason="no-invigilator"
            )
        if set(present) - set(needs):
            return None
        required_feasible(found)
    opened = session_happen(connection, session, SessionKind.OPENED, context.clock(), who(caller))
    return session_view(connection, context, opened)
