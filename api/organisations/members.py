"""The people who work for an organisation: it never stays without an administrator, whoever asks."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.clock import iso
from api.context import Context
from api.idempotency import Once, created_before, remember
from api.identifiers import fingerprint, member_token, new_id, parsed_id
from api.organisations.callers import Staff, required_organisation, who
from api.organisations.deeds import MEMBER_ADDED, MEMBER_CHANGED, MEMBER_REMOVED
from api.organisations.records import ADMIN, Member
from api.organisations.repository import (
    add_deed,
    add_member,
    member_of,
    members_of_organisation,
    organisation_of,
    revoke_member,
)
from api.organisations.repository import change_member as store_change
from api.pagination import page, parsed_cursor
from api.problems import NOT_NOW, UNKNOWN_MEMBER, Problem


def member_view(member: Member) -> dict[str, Any]:
    """Show a member; never the token."""
    return {
        "id": member.id,
        "name": member.name,
        "role": member.role,
        "created_at": iso(member.created_at),
        "revoked_at": None if member.revoked_at is None else iso(member.revoked_at),
    }


async def create_member(
    context: Context, caller: Staff, organisation_id: str, name: str, role: str, once: Once | None = None
) -> tuple[Member, str]:
    """Make somebody a member; return them with their token, of which the hash alone is stored.

    The token is derived from the server's secret, so that a request sent again with its key gets the same one.
    """

    def store(connection: Connection) -> Member:
        organisation = required_organisation(connection, caller, organisation_id)
        before = created_before(connection, once)
        known = None if before is None else member_of(connection, organisation.id, before)
        if known is not None:
            return known
        member = Member(new_id(), organisation.id, name, role, context.clock())
        add_member(connection, member, fingerprint(member_token(context.keys.learner, member.id)))
        remember(connection, once, member.id, member.created_at)
        told = {"member": member.id, "name": name, "role": role}
        add_deed(connection, organisation.id, member.created_at, who(caller), MEMBER_ADDED, told)
        return member

    try:
        member = await context.write(store)
    except IntegrityError:
        member = await context.write(store)
    return member, member_token(context.keys.learner, member.id)


async def list_members(
    context: Context, caller: Staff, organisation_id: str, cursor: str | None, limit: int
) -> dict[str, Any]:
    """Show the members of an organisation in the order of their coming, page by page."""
    after = parsed_cursor(cursor)

    def read(connection: Connection) -> list[Member]:
        organisation = required_organisation(connection, caller, organisation_id)
        members = members_of_organisation(connection, organisation.id)
        return [member for member in members if after is None or member.id > after][: limit + 1]

    found = await context.read(read)
    shown, following = page(found, [member.id for member in found], limit)
    return {"items": [member_view(member) for member in shown], "next": following}


async def change_member(
    context: Context, caller: Staff, organisation_id: str, member_id: str, name: str | None, role: str | None
) -> Member:
    """Give a member another name or role; what is None stays.

    Raises
    ------
    Problem
        404 unknown organisation or member; 409 when they left, or when nobody would administer the organisation.
    """

    def store(connection: Connection) -> Member:
        member = _locked(connection, caller, organisation_id, member_id)
        if member.revoked_at is not None:
            raise Problem(NOT_NOW, "This member was removed: make or invite a new one.", reason="member-removed")
        told = {"name": name, "role": role}
        changes = {key: value for key, value in told.items() if value is not None and value != getattr(member, key)}
        if not changes:
            return member
        if "role" in changes:
            _keep_an_admin(connection, member)
        store_change(connection, member.id, changes)
        deed = {"member": member.id, "name": member.name, "role": member.role, "changes": changes}
        add_deed(connection, member.organisation_id, context.clock(), who(caller), MEMBER_CHANGED, deed)
        return Member(**{**vars(member), **changes})

    return await context.write(store)


async def remove_member(context: Context, caller: Staff, organisation_id: str, member_id: str) -> None:
    """Revoke the token of a member; doing it again changes nothing.

    Raises
    ------
    Problem
        404 unknown organisation or member; 409 when nobody would administer the organisation.
    """

    def store(connection: Connection) -> None:
        member = _locked(connection, caller, organisation_id, member_id)
        if member.revoked_at is not None:
            return
        _keep_an_admin(connection, member)
        at = context.clock()
        revoke_member(connection, member.id, at)
        told = {"member": member.id, "name": member.name, "role": member.role}
        add_deed(connection, member.organisation_id, at, who(caller), MEMBER_REMOVED, told)

    await context.write(store)


def _locked(connection: Connection, caller: Staff, organisation_id: str, member_id: str) -> Member:
    """Return a member while nobody else changes who works for the organisation; raise a 404 problem without one."""
    organisation = required_organisation(connection, caller, organisation_id)
    organisation_of(connection, organisation.id, lock=True)
    known = parsed_id(member_id)
    member = None if known is None else member_of(connection, organisation.id, known)
    if member is None:
        raise Problem(UNKNOWN_MEMBER, "The organisation has no member of this id: check the id.")
    return member


def _keep_an_admin(connection: Connection, member: Member) -> None:
    """Raise a 409 problem when a member who stops administering is the last one who does."""
    if member.role != ADMIN:
        return
    others = members_of_organisation(connection, member.organisation_id)
    if not any(one.role == ADMIN and one.revoked_at is None and one.id != member.id for one in others):
        raise Problem(
            NOT_NOW, "This is the last administrator of the organisation: name another one first.", reason="last-admin"
        )
