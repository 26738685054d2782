"""Enrolling everybody in a CSV file, or nobody: all that is wrong is told at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from api.certification.callers import required_session
from api.certification.eligibility import profile_for
from api.certification.records import Candidate, Session
from api.certification.repository import candidates_of_session, events_of_candidates
from api.certification.session_states import SessionPhase
from api.certification.sessions.candidates import candidate_view, check_takes, checked_birth
from api.certification.sessions.enrolment import MOST, Enrolment, clash_of, learner_of, store_enrolment
from api.certification.sessions.feasibility import Need, findings_of
from api.certification.sessions.import_file import Entry, read_candidates
from api.certification.sessions.planning import starts_at
from api.certification.sessions.writing import written
from api.certification.states import Kind, Phase
from api.certification.tables import candidates
from api.context import Context
from api.idempotency import Once, created_before, remember
from api.identifiers import new_id
from api.organisations.callers import Staff, who
from api.organisations.importing.faults import Fault
from api.organisations.registrations.accounts import named_account
from api.organisations.repository import organisation_of
from api.problems import INVALID_REQUEST, INVALID_ROWS, Problem
from engine.errors import BankError
from itembank.checks.finding import Finding, Severity


@dataclass(frozen=True)
class Numbered:
    """Somebody to enrol, and the line that names them."""

    line: int
    enrolment: Enrolment


async def import_candidates(
    context: Context, caller: Staff, session_id: str, content: bytes, kind: str, once: Once | None = None
) -> dict[str, Any]:
    """Enrol everybody in a file; the same answer again when ``once`` was used before.

    Parameters
    ----------
    context : Context
    caller : Platform or Member
    session_id : str
    content : bytes
        The file.
    kind : str
        Its media type, as the client announced it.
    once : Once, optional

    Raises
    ------
    Problem
        404 unknown session; 409 when the session takes nobody any more; 422 when it is no CSV, or lines are wrong: the
        member ``errors`` names each with line, column, code and a sentence.
    """
    if kind.partition(";")[0].strip().lower() != "text/csv":
        raise Problem(
            INVALID_REQUEST, "The body is not announced as CSV: send Content-Type: text/csv.", reason="not-csv"
        )
    entries, faults = read_candidates(content)

    def prepare(connection: Connection) -> tuple[dict[str, Any] | None, list[Numbered]]:
        session = required_session(connection, caller, session_id)
        known = _imported_before(connection, context, session, created_before(connection, once))
        if known is not None:
            return known, []
        check_takes(session)
        ready, more = _found(context, connection, caller, session, entries)
        found = sorted([*faults, *more], key=lambda fault: fault.line)
        if found:
            raise invalid_rows(found)
        return None, ready

    known, ready = await context.read(prepare)
    if known is not None:
        return known

    def store(connection: Connection) -> dict[str, Any]:
        session = required_session(connection, caller, session_id, lock=True)
        before = _imported_before(connection, context, session, created_before(connection, once))
        if before is not None:
            return before
        at, import_id = context.clock(), new_id()
        enrolled = [
            store_enrolment(
                connection, session, one.enrolment, at, who(caller), {"import": import_id, "line": one.line}
            )
            for one in ready
        ]
        remember(connection, once, import_id, at)
        return _told(context, connection, session, enrolled)

    return await written(context, store)


def invalid_rows(faults: Iterable[Fault]) -> Problem:
    """Build the problem for a file of which lines are wrong: nobody was enrolled."""
    errors = [fault.told() for fault in faults]
    count = f"{len(errors)} errors" if len(errors) > 1 else "one error"
    detail = f"The file has {count}, and nobody was enrolled: {errors[0]['sentence']}"
    return Problem(INVALID_ROWS, detail, errors=errors)


def _found(
    context: Context, connection: Connection, caller: Staff, session: Session, entries: Iterable[Entry]
) -> tuple[list[Numbered], list[Fault]]:
    """Find the learners of a file; everybody who may be enrolled when no line is wrong, and what is wrong here."""
    ready: list[Numbered] = []
    faults: list[Fault] = []
    lines: dict[str, int] = {}
    served: dict[Need, tuple[Finding, ...]] = {}
    for entry in entries:
        wrong, learner_id = list(_wrong(context, session, entry)), _learner(connection, caller, session, entry)
        column = entry.columns.get("learner" if entry.learner is not None else "code", "learner")
        if (entry.learner is None) == (entry.code is None):
            learner_id = None  # the reading of the file says what is wrong
        elif learner_id is None:
            wrong.append(_unknown(entry, column))
        elif learner_id in lines:
            sentence = f"The learner of line {entry.line} is that of line {lines[learner_id]} too: keep one of them."
            wrong.append(Fault(entry.line, column, "LEARNER_TWICE", sentence, {"first": lines[learner_id]}))
        else:
            lines[learner_id] = entry.line
            wrong += _refused(context, connection, session, entry, learner_id, column)
        need = Need(entry.locale, entry.accessible, entry.extra_time)
        if session.state == SessionPhase.OPEN and not wrong:
            wrong += _unserved(context, connection, session, entry, need, served)
        faults += wrong
        if not wrong and learner_id is not None:
            ready.append(Numbered(entry.line, _enrolment(entry, learner_id)))
    present = select(func.count()).where(
        candidates.c.session_id == session.id, candidates.c.state != Phase.REMOVED.value
    )
    if not faults and connection.execute(present).scalar_one() + len(ready) > MOST:
        faults = [
            Fault(1, None, "TOO_MANY", f"A session has {MOST} candidates at most: plan another.", {"limit": MOST})
        ]
    return ready, faults


def _wrong(context: Context, session: Session, entry: Entry) -> Iterable[Fault]:
    """Find what is wrong in a line that only the session and the bank can tell."""
    try:
        if entry.birth_date:
            checked_birth(entry.birth_date, session)
    except Problem as problem:
        yield Fault(entry.line, entry.columns["birth_date"], "FIELD_BAD_VALUES", problem.detail)
    try:
        if entry.locale:
            context.served.bank(entry.locale)
    except BankError:
        sentence = f"The bank has no item in the language {entry.locale!r}: name another on line {entry.line}."
        yield Fault(entry.line, entry.columns.get("locale"), "FIELD_BAD_VALUES", sentence)


def _learner(connection: Connection, caller: Staff, session: Session, entry: Entry) -> str | None:
    """Id of the learner of a line: by the INE or number on the list, an identifier of the platform, or a code."""
    organisation = organisation_of(connection, session.organisation_id)
    assert organisation is not None
    if entry.learner is not None:
        return named_account(connection, caller, organisation, entry.learner)
    try:
        return learner_of(connection, caller, session, None, entry.code)
    except Problem:
        return None


def _unknown(entry: Entry, column: str) -> Fault:
    if entry.learner is not None:
        sentence = f"No learner here is known as {entry.learner!r} (line {entry.line}): check it."
    else:
        sentence = f"No positioning has the access code {entry.code!r} (line {entry.line}): check each letter."
    return Fault(entry.line, column, "LEARNER_UNKNOWN", sentence)


def _refused(
    context: Context, connection: Connection, session: Session, entry: Entry, learner_id: str, column: str
) -> Iterable[Fault]:
    """Say why a learner may not be enrolled."""
    clash = clash_of(connection, session, learner_id)
    if clash is not None:
        yield Fault(entry.line, column, "LEARNER_ENROLLED", clash)
        return
    rules = context.pins.rules(connection, session.rules_hash)
    profile = profile_for(connection, context, learner_id, rules, starts_at(session), session.zone)
    if not profile.eligible:
        yield Fault(entry.line, column, "NOT_ELIGIBLE", profile.words["en"], {"words": dict(profile.words)})


def _unserved(
    context: Context,
    connection: Connection,
    session: Session,
    entry: Entry,
    need: Need,
    served: dict[Need, tuple[Finding, ...]],
) -> Iterable[Fault]:
    """Say what the bank cannot do for a candidate of an open session."""
    if need not in served:
        served[need] = findings_of(context, context.pins.rules(connection, session.rules_hash), need)
    for finding in served[need]:
        if finding.severity is Severity.ERROR:
            yield Fault(entry.line, entry.columns.get("accessible"), "NOT_FEASIBLE", finding.sentence)


def _enrolment(entry: Entry, learner_id: str) -> Enrolment:
    return Enrolment(
        learner_id=learner_id,
        first_name=entry.first_name,
        last_name=entry.last_name,
        birth_date=entry.birth_date,
        extra_time=entry.extra_time,
        accessible=entry.accessible,
        equipment=entry.equipment,
        locale=entry.locale,
    )


def _imported_before(
    connection: Connection, context: Context, session: Session, import_id: str | None
) -> dict[str, Any] | None:
    """Show again whom an import enrolled, in the order of its file."""
    if import_id is None:
        return None
    lines: dict[str, int] = {}
    for candidate_id, events in events_of_candidates(connection, session.id).items():
        for event in events:
            if event.kind == Kind.ENROLLED and event.data.get("import") == import_id:
                lines[candidate_id] = event.data["line"]
    known: Mapping[str, Candidate] = {one.id: one for one in candidates_of_session(connection, session.id)}
    return _told(context, connection, session, [known[one] for one in sorted(lines, key=lines.__getitem__)])


def _told(context: Context, connection: Connection, session: Session, enrolled: Iterable[Candidate]) -> dict[str, Any]:
    minutes = context.pins.rules(connection, session.rules_hash).minutes
    return {"enrolled": [candidate_view(candidate, minutes) for candidate in enrolled]}
