"""SQL of organisations and their members, of what they did and what they saw."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from api.identifiers import new_id
from api.organisations.records import Invitation, Member, Organisation
from api.organisations.tables import accesses, deeds, invitations, members, organisations
from api.storage import insert_rows


def organisation_of(connection: Connection, organisation_id: str, lock: bool = False) -> Organisation | None:
    """Return the organisation of that id; ``lock`` keeps others from changing its people until the transaction ends."""
    query = select(organisations).where(organisations.c.id == organisation_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else Organisation(**row._asdict())


def all_organisations(connection: Connection) -> list[Organisation]:
    """Return every organisation, the oldest first."""
    return [
        Organisation(**row._asdict()) for row in connection.execute(select(organisations).order_by(organisations.c.id))
    ]


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


def change_member(connection: Connection, member_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of a member."""
    connection.execute(update(members).where(members.c.id == member_id).values(**values))


def revoke_member(connection: Connection, member_id: str, at: datetime) -> None:
    """Note that a member's token works no more."""
    connection.execute(update(members).where(members.c.id == member_id).values(revoked_at=at))


def add_invitation(connection: Connection, invitation: Invitation, code_hash: str) -> None:
    """Store a new invitation."""
    connection.execute(insert(invitations).values(**vars(invitation), code_hash=code_hash))


def invitation_of(
    connection: Connection, organisation_id: str, invitation_id: str, lock: bool = False
) -> Invitation | None:
    """Return an invitation of an organisation; ``lock`` keeps others from answering it."""
    query = select(invitations).where(
        invitations.c.organisation_id == organisation_id, invitations.c.id == invitation_id
    )
    return _invitation(connection.execute(query.with_for_update() if lock else query).one_or_none())


def invitation_of_code(connection: Connection, code_hash: str, lock: bool = False) -> Invitation | None:
    """Return the invitation that has this code; ``lock`` keeps others from answering it."""
    query = select(invitations).where(invitations.c.code_hash == code_hash)
    return _invitation(connection.execute(query.with_for_update() if lock else query).one_or_none())


def invitations_of(connection: Connection, organisation_id: str, after: str | None, limit: int) -> list[Invitation]:
    """Return the invitations of an organisation, the latest first, those before ``after``."""
    query = select(invitations).where(invitations.c.organisation_id == organisation_id)
    if after is not None:
        query = query.where(invitations.c.id < after)
    rows = connection.execute(query.order_by(invitations.c.id.desc()).limit(limit))
    return [found for row in rows if (found := _invitation(row)) is not None]


def change_invitation(connection: Connection, invitation_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of an invitation."""
    connection.execute(update(invitations).where(invitations.c.id == invitation_id).values(**values))


def deeds_of(connection: Connection, organisation_id: str, after: str | None, limit: int) -> list[dict[str, Any]]:
    """Return the audit of an organisation, the latest deed first, those before ``after``."""
    query = select(deeds).where(deeds.c.organisation_id == organisation_id)
    if after is not None:
        query = query.where(deeds.c.id < after)
    return [row._asdict() for row in connection.execute(query.order_by(deeds.c.id.desc()).limit(limit))]


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


def _invitation(row: Row[Any] | None) -> Invitation | None:
    if row is None:
        return None
    values = row._asdict()
    values.pop("code_hash")
    return Invitation(**values)
