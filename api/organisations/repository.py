"""SQL of organisations and their members, of what they did and what they saw."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from api.identifiers import new_id
from api.organisations.records import Member, Organisation
from api.organisations.tables import accesses, deeds, members, organisations
from api.storage import insert_rows


def organisation_of(connection: Connection, organisation_id: str) -> Organisation | None:
    """Return the organisation of that id."""
    row = connection.execute(select(organisations).where(organisations.c.id == organisation_id)).one_or_none()
    return None if row is None else Organisation(**row._asdict())


def add_organisation(connection: Connection, organisation: Organisation) -> None:
    """Store a new organisation."""
    connection.execute(insert(organisations).values(**vars(organisation)))


def organisations_of_client(
    connection: Connection, client_id: str, after: str | None, limit: int
) -> list[Organisation]:
    """Return organisations of a platform, the latest first, those before ``after``."""
    query = (
        select(organisations)
        .where(organisations.c.client_id == client_id)
        .order_by(organisations.c.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(organisations.c.id < after)
    return [Organisation(**row._asdict()) for row in connection.execute(query)]


def add_member(connection: Connection, member: Member, token_hash: str) -> None:
    """Store a new member."""
    connection.execute(insert(members).values(**vars(member), token_hash=token_hash))


def member_of_token(connection: Connection, token_hash: str) -> Member | None:
    """Return the member who has this token, unless there is none or it was revoked."""
    query = select(members).where(members.c.token_hash == token_hash, members.c.revoked_at.is_(None))
    row = connection.execute(query).one_or_none()
    return None if row is None else _member(row)


def member_of(connection: Connection, organisation_id: str, member_id: str) -> Member | None:
    """Return a member of an organisation, revoked or not."""
    query = select(members).where(members.c.organisation_id == organisation_id, members.c.id == member_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _member(row)


def members_of_organisation(connection: Connection, organisation_id: str) -> list[Member]:
    """Return the members of an organisation, in the order of their coming, revoked ones too."""
    query = select(members).where(members.c.organisation_id == organisation_id).order_by(members.c.id)
    return [_member(row) for row in connection.execute(query)]


def revoke_member(connection: Connection, member_id: str, at: datetime) -> None:
    """Note that a member's token works no more."""
    connection.execute(update(members).where(members.c.id == member_id).values(revoked_at=at))


def add_deed(
    connection: Connection,
    organisation_id: str,
    at: datetime,
    who: str,
    kind: str,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Append to the audit of an organisation that somebody did something; in the transaction that does it."""
    row = {"id": new_id(), "organisation_id": organisation_id, "at": at, "who": who, "kind": kind, "data": data}
    connection.execute(insert(deeds).values(**row))


def add_accesses(
    connection: Connection, learner_ids: Sequence[str], organisation_id: str | None, at: datetime, who: str, what: str
) -> None:
    """Append to the log of each learner that somebody saw something of theirs."""
    rows = [
        {"id": new_id(), "learner_id": one, "organisation_id": organisation_id, "at": at, "who": who, "what": what}
        for one in learner_ids
    ]
    insert_rows(connection, accesses, rows)


def _member(row: Row[Any]) -> Member:
    values = row._asdict()
    values.pop("token_hash")
    return Member(**values)
