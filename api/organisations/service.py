"""Organisations of a platform, and the people who work for them."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.clock import iso
from api.context import Context
from api.idempotency import Once, created_before, remember
from api.identifiers import fingerprint, member_token, new_id, parsed_id
from api.organisations.callers import Staff, required_organisation
from api.organisations.records import ADMIN, Member, Organisation
from api.organisations.repository import (
    add_member,
    add_organisation,
    member_of,
    members_of_organisation,
    organisation_of,
    organisations_of_client,
    revoke_member,
)
from api.pagination import page, parsed_cursor
from api.problems import NOT_NOW, UNKNOWN_MEMBER, Problem


def organisation_view(organisation: Organisation) -> dict[str, Any]:
    """Show an organisation."""
    return {
        "id": organisation.id,
        "name": organisation.name,
        "uai": organisation.uai,
        "created_at": iso(organisation.created_at),
    }


def member_view(member: Member) -> dict[str, Any]:
    """Show a member; never the token."""
    return {
        "id": member.id,
        "name": member.name,
        "role": member.role,
        "created_at": iso(member.created_at),
        "revoked_at": None if member.revoked_at is None else iso(member.revoked_at),
    }


async def create_organisation(
    context: Context, client_id: str, name: str, uai: str | None, once: Once | None = None
) -> Organisation:
    """Create an organisation of a platform; the same again when ``once`` was used before."""

    def store(connection: Connection) -> Organisation:
        before = created_before(connection, once)
        known = None if before is None else organisation_of(connection, before)
        if known is not None:
            return known
        organisation = Organisation(new_id(), client_id, name, uai, context.clock())
        add_organisation(connection, organisation)
        remember(connection, once, organisation.id, organisation.created_at)
        return organisation

    try:
        return await context.write(store)
    except IntegrityError:  # another process was first with the same key: it is known now
        return await context.write(store)


async def list_organisations(context: Context, client_id: str, cursor: str | None, limit: int) -> dict[str, Any]:
    """Show the organisations of a platform, the latest first, page by page."""
    after = parsed_cursor(cursor)
    found = await context.read(lambda connection: organisations_of_client(connection, client_id, after, limit + 1))
    shown, following = page(found, [organisation.id for organisation in found], limit)
    return {"items": [organisation_view(organisation) for organisation in shown], "next": following}


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


async def remove_member(context: Context, caller: Staff, organisation_id: str, member_id: str) -> None:
    """Revoke the token of a member; doing it again changes nothing.

    Raises
    ------
    Problem
        404 unknown organisation or member; 409 when an administrator would leave the organisation without any.
    """

    def store(connection: Connection) -> None:
        organisation = required_organisation(connection, caller, organisation_id)
        known = parsed_id(member_id)
        member = None if known is None else member_of(connection, organisation.id, known)
        if member is None:
            raise Problem(UNKNOWN_MEMBER, "The organisation has no member of this id: check the id.")
        if member.revoked_at is not None:
            return
        admins = [
            one
            for one in members_of_organisation(connection, organisation.id)
            if one.role == ADMIN and not one.revoked_at
        ]
        if isinstance(caller, Member) and [one.id for one in admins] == [member.id]:
            raise Problem(
                NOT_NOW,
                "This is the last administrator of the organisation: name another one first.",
                reason="last-admin",
            )
        revoke_member(connection, member.id, context.clock())

    await context.write(store)
