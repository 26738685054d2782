"""Enrolling a learner in a session."""

from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, func, select

from api.certification.callers import required_session
from api.certification.eligibility import LearnerProfile, profile_for
from api.certification.happening import happen, standing
from api.certification.records import Candidate, Session
from api.certification.repository import add_candidate, add_candidate_event, candidate_of
from api.certification.sessions.candidate_schemas import CandidateRequest
from api.certification.sessions.candidates import (
    ACCOMMODATIONS,
    CHANGING,
    candidate_view,
    check_served,
    check_takes,
    checked_birth,
)
from api.certification.sessions.feasibility import Need
from api.certification.sessions.planning import starts_at
from api.certification.sessions.writing import written
from api.certification.states import Event, Kind, Phase
from api.certification.tables import candidates, sessions
from api.context import Context
from api.idempotency import Once, created_before, remember
from api.identifiers import new_id, parsed_access_code
from api.organisations.callers import Staff, who
from api.organisations.registrations.accounts import required_account
from api.organisations.repository import organisation_of
from api.problems import (
    INVALID_REQUEST,
    NOT_ELIGIBLE,
    NOT_NOW,
    UNKNOWN_CODE,
    Problem,
)
from api.runs.repository import run_of_code
from api.tables import learners
from itembank.items import FLAGS

MOST = 1_000
"""Candidates of one session."""
_GONE = (Phase.REMOVED.value, Phase.ABSENT.value)


@dataclass(frozen=True)
class Enrolment:
    """Somebody to enrol."""

    learner_id: str
    first_name: str
    last_name: str
    birth_date: str
    extra_time: float = 0.0
    accessible: tuple[str, ...] = ()
    equipment: str = ""
    locale: str = "fr"


async def enrol(
    context: Context, caller: Staff, session_id: str, order: CandidateRequest, once: Once | None = None
) -> dict[str, Any]:
    """Enrol a learner; the same again when ``once`` was used before.

    Raises
    ------
    Problem
        404 unknown session, learner or code; 409 when the session takes nobody any more, or the learner is enrolled
        already, here or in another session under way; 422 when they may not be certified, with the reason in words, or
        when the bank cannot serve them.
    """
    before, enrolment = await context.read(partial(_checked, context, caller, session_id, order, once))
    if before is not None:
        return before
    assert enrolment is not None

    def store(connection: Connection) -> dict[str, Any]:
        session = required_session(connection, caller, session_id, lock=True)
        rules = context.pins.rules(connection, session.rules_hash)
        known = _enrolled_before(connection, created_before(connection, once))
        if known is not None:
            return candidate_view(known, rules.minutes)
        at = context.clock()
        candidate = store_enrolment(connection, session, enrolment, at, who(caller))
        remember(connection, once, candidate.id, at)
        return candidate_view(candidate, rules.minutes)

    return await written(context, store)


def store_enrolment(
    connection: Connection,
    session: Session,
    enrolment: Enrolment,
    at: datetime,
    by: str,
    more: dict[str, Any] | None = None,
) -> Candidate:
    """Store a candidate in the writer's transaction, the session being locked; ``more`` is for the fact.

    Raises
    ------
    Problem
        409 when the session takes nobody any more, or the learner sits here or elsewhere already.
    """
    check_takes(session)
    clash = clash_of(connection, session, enrolment.learner_id, lock=True)
    if clash is not None:
        raise Problem(NOT_NOW, clash, reason="enrolled")
    enrolled = select(func.count()).where(
        candidates.c.session_id == session.id, candidates.c.state != Phase.REMOVED.value
    )
    if connection.execute(enrolled).scalar_one() >= MOST:
        raise Problem(NOT_NOW, f"The session has {MOST} candidates: plan another.", reason="full", limit=MOST)
    told = {name: asdict(enrolment)[name] for name in ACCOMMODATIONS} | (more or {})
    told["accessible"] = list(enrolment.accessible)
    query = select(candidates.c.id).where(
        candidates.c.session_id == session.id, candidates.c.learner_id == enrolment.learner_id
    )
    gone = connection.execute(query).scalar_one_or_none()
    if gone is not None:  # was taken off the list
        values = asdict(enrolment) | {"accessible": list(enrolment.accessible)}
        now = standing(connection, gone, lock=True)
        happen(connection, now, Kind.ENROLLED, at, by, data=told, changes=values)
        again = candidate_of(connection, gone)
        assert again is not None
        return again
    candidate = Candidate(
        id=new_id(),
        session_id=session.id,
        **asdict(enrolment),
        run_id=None,
        profile=None,
        device_hash=None,
        waiting_hash=None,
        state=Phase.ENROLLED.value,
        version=1,
        created_at=at,
    )
    add_candidate(connection, candidate)
    add_candidate_event(connection, candidate.id, Event(1, Kind.ENROLLED.value, at, by, data=told))
    return candidate


def clash_of(connection: Connection, session: Session, learner_id: str, lock: bool = False) -> str | None:
    """Say why a learner cannot be enrolled once more, None when they can; ``lock`` keeps others from enrolling them."""
    if lock:
        connection.execute(select(learners.c.id).where(learners.c.id == learner_id).with_for_update()).one()
    query = (
        select(candidates.c.session_id, candidates.c.state, sessions.c.state.label("session_state"))
        .join(sessions, sessions.c.id == candidates.c.session_id)
        .where(candidates.c.learner_id == learner_id)
    )
    for row in connection.execute(query):
        if row.session_id == session.id and row.state != Phase.REMOVED:
            return "The learner is enrolled in this session already: enrol each once."
        if row.session_id != session.id and row.state not in _GONE and row.session_state in CHANGING:
            return "The learner is enrolled in another session under way: take them off its list first."
    return None


def learner_of(
    connection: Connection, caller: Staff, session: Session, learner_id: str | None, code: str | None
) -> str:
    """Return the id of the learner who is named by an id, or by an access code; raise a 404 problem.

    A member names learners on the list of their organisation; of any other, the learner hands them an access code.
    """
    organisation = organisation_of(connection, session.organisation_id)
    assert organisation is not None
    if learner_id is not None:
        return required_account(connection, caller, learner_id)
    typed = parsed_access_code(code or "")
    run = None if typed is None else run_of_code(connection, typed)
    if run is None or run.rules_hash is not None or run.client_id not in (None, organisation.client_id):
        raise Problem(UNKNOWN_CODE, "No positioning has this access code: check each letter.")
    return run.learner_id


def required_eligible(context: Context, connection: Connection, session: Session, learner_id: str) -> LearnerProfile:
    """Return the profile of a learner who may sit a session; raise a 422 problem with the reason in words."""
    rules = context.pins.rules(connection, session.rules_hash)
    profile = profile_for(connection, context, learner_id, rules, starts_at(session), session.zone)
    if not profile.eligible:
        raise Problem(NOT_ELIGIBLE, profile.words["en"], learner_id=learner_id, **profile.told())
    return profile


def _checked(
    context: Context,
    caller: Staff,
    session_id: str,
    order: CandidateRequest,
    once: Once | None,
    connection: Connection,
) -> tuple[dict[str, Any] | None, Enrolment | None]:
    """Return who was enrolled by the same request before, or who is to be enrolled now."""
    session = required_session(connection, caller, session_id)
    known = _enrolled_before(connection, created_before(connection, once))
    if known is not None:
        return candidate_view(known, context.pins.rules(connection, session.rules_hash).minutes), None
    check_takes(session)
    if (order.learner_id is None) == (order.code is None):
        raise Problem(
            INVALID_REQUEST, "Name the learner by learner_id or by code: send one of them.", reason="lacks-learner"
        )
    learner_id = learner_of(connection, caller, session, order.learner_id, order.code)
    enrolment = Enrolment(
        learner_id=learner_id,
        first_name=order.first_name,
        last_name=order.last_name,
        birth_date=checked_birth(order.birth_date, session),
        extra_time=float(order.extra_time),
        accessible=tuple(flag for flag in FLAGS if flag in order.accessible),
        equipment=order.equipment,
        locale=order.locale,
    )
    clash = clash_of(connection, session, learner_id)
    if clash is not None:
        raise Problem(NOT_NOW, clash, reason="enrolled")
    required_eligible(context, connection, session, learner_id)
    check_served(context, connection, session, Need(enrolment.locale, enrolment.accessible, enrolment.extra_time))
    return None, enrolment


def _enrolled_before(connection: Connection, candidate_id: str | None) -> Candidate | None:
    return None if candidate_id is None else candidate_of(connection, candidate_id)


async def learner_eligibility(context: Context, caller: Staff, learner_id: str) -> dict[str, Any]:
    """Show whether a learner whom the caller knows may sit a session held now, under the rules in force."""

    def read(connection: Connection) -> dict[str, Any]:
        known = required_account(connection, caller, learner_id)
        profile = profile_for(connection, context, known, context.certification, context.clock())
        return {"learner_id": known, **profile.told()}

    return await context.read(read)
