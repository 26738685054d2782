"""SQL of organisations, members, sessions and candidates, and of their facts."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from api.certification.records import Candidate, Session
from api.certification.states import Event
from api.certification.tables import candidate_facts, candidates, session_facts, session_members, sessions


def add_session(connection: Connection, session: Session) -> None:
    """Store a new session."""
    connection.execute(insert(sessions).values(**vars(session)))


def session_of(connection: Connection, session_id: str, lock: bool = False) -> Session | None:
    """Return the session of that id; ``lock`` keeps others from changing it until the transaction ends."""
    query = select(sessions).where(sessions.c.id == session_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else Session(**row._asdict())


def session_of_code(connection: Connection, access_code: str) -> Session | None:
    """Return the session that has this access code."""
    row = connection.execute(select(sessions).where(sessions.c.access_code == access_code)).one_or_none()
    return None if row is None else Session(**row._asdict())


def sessions_of_organisation(
    connection: Connection, organisation_id: str, after: str | None, limit: int
) -> list[Session]:
    """Return sessions of an organisation, the latest first, those before ``after``."""
    query = (
        select(sessions)
        .where(sessions.c.organisation_id == organisation_id)
        .order_by(sessions.c.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(sessions.c.id < after)
    return [Session(**row._asdict()) for row in connection.execute(query)]


def sessions_of_member(connection: Connection, member_id: str) -> list[Session]:
    """Return the sessions that a member is assigned to, the latest first."""
    query = (
        select(sessions)
        .join(session_members, session_members.c.session_id == sessions.c.id)
        .where(session_members.c.member_id == member_id)
        .order_by(sessions.c.id.desc())
    )
    return [Session(**row._asdict()) for row in connection.execute(query)]


def change_session(connection: Connection, session_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of a session."""
    connection.execute(update(sessions).where(sessions.c.id == session_id).values(**values))


def invigilators_of(connection: Connection, session_id: str) -> list[str]:
    """Return the ids of the members assigned to a session."""
    query = select(session_members.c.member_id).where(session_members.c.session_id == session_id)
    return list(connection.scalars(query.order_by(session_members.c.member_id)))


def assign(connection: Connection, session_id: str, member_ids: Sequence[str]) -> None:
    """Assign these members, and nobody else, to a session."""
    connection.execute(session_members.delete().where(session_members.c.session_id == session_id))
    for member_id in member_ids:
        connection.execute(insert(session_members).values(session_id=session_id, member_id=member_id))


def add_candidate(connection: Connection, candidate: Candidate) -> None:
    """Store a new candidate."""
    connection.execute(insert(candidates).values(**vars(candidate)))


def candidate_of(connection: Connection, candidate_id: str, lock: bool = False) -> Candidate | None:
    """Return the candidate of that id; ``lock`` keeps others from changing it until the transaction ends."""
    query = select(candidates).where(candidates.c.id == candidate_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _candidate(row)


def candidate_of_token(connection: Connection, token_hash: str) -> Candidate | None:
    """Return the candidate whose device, in use or waiting, has this token."""
    query = select(candidates).where(
        or_(candidates.c.device_hash == token_hash, candidates.c.waiting_hash == token_hash)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _candidate(row)


def candidate_of_run(connection: Connection, run_id: str) -> Candidate | None:
    """Return the candidate who takes, or took, a run."""
    row = connection.execute(select(candidates).where(candidates.c.run_id == run_id)).one_or_none()
    return None if row is None else _candidate(row)


def candidates_of_session(connection: Connection, session_id: str) -> list[Candidate]:
    """Return the candidates of a session, by name."""
    query = select(candidates).where(candidates.c.session_id == session_id)
    found = (_candidate(row) for row in connection.execute(query))
    return sorted(found, key=lambda one: (alphabetical(one.last_name), alphabetical(one.first_name), one.id))


def change_candidate(connection: Connection, candidate_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of a candidate."""
    connection.execute(update(candidates).where(candidates.c.id == candidate_id).values(**values))


def candidate_events(connection: Connection, candidate_id: str) -> list[Event]:
    """Return the facts of a candidate, in order."""
    query = select(candidate_facts).where(candidate_facts.c.candidate_id == candidate_id)
    return [_event(row) for row in connection.execute(query.order_by(candidate_facts.c.number))]


def events_of_candidates(connection: Connection, session_id: str) -> dict[str, list[Event]]:
    """Return the facts of every candidate of a session, in order, by candidate."""
    query = (
        select(candidate_facts)
        .join(candidates, candidates.c.id == candidate_facts.c.candidate_id)
        .where(candidates.c.session_id == session_id)
        .order_by(candidate_facts.c.candidate_id, candidate_facts.c.number)
    )
    found: dict[str, list[Event]] = {}
    for row in connection.execute(query):
        found.setdefault(row.candidate_id, []).append(_event(row))
    return found


def session_events(connection: Connection, session_id: str) -> list[Event]:
    """Return the facts of a session, in order."""
    query = select(session_facts).where(session_facts.c.session_id == session_id)
    return [_event(row) for row in connection.execute(query.order_by(session_facts.c.number))]


def add_candidate_event(connection: Connection, candidate_id: str, event: Event) -> None:
    """Append a fact of a candidate."""
    connection.execute(insert(candidate_facts).values(candidate_id=candidate_id, **_columns(event)))


def add_session_event(connection: Connection, session_id: str, event: Event) -> None:
    """Append a fact of a session."""
    connection.execute(insert(session_facts).values(session_id=session_id, **_columns(event)))


def alphabetical(name: str) -> str:
    """Key by which names are sorted as people look for them, on every database: case and accents do not matter.

    >>> sorted(["Zola", "Éluard", "de Staël", "Eluard"], key=alphabetical)
    ['de Staël', 'Éluard', 'Eluard', 'Zola']
    """
    plain = unicodedata.normalize("NFKD", name)
    return "".join(one for one in plain if not unicodedata.combining(one)).casefold()


def _columns(event: Event) -> dict[str, Any]:
    return {**vars(event), "kind": str(event.kind), "data": dict(event.data) or None}


def _event(row: Row[Any]) -> Event:
    return Event(row.number, row.kind, row.at, row.who, row.why, row.data or {})


def _candidate(row: Row[Any]) -> Candidate:
    values = row._asdict()
    return Candidate(**{**values, "accessible": tuple(values["accessible"])})
