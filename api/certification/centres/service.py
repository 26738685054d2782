"""Centres of a platform, and the people who work for them."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.certification.callers import Staff, required_centre
from api.certification.records import ADMIN, Centre, Member
from api.certification.repository import (
    add_centre,
    add_member,
    centre_of,
    centres_of_client,
    member_of,
    members_of_centre,
    revoke_member,
)
from api.clock import iso
from api.context import Context
from api.idempotency import Once, created_before, remember
from api.identifiers import fingerprint, member_token, new_id, parsed_id
from api.pagination import page, parsed_cursor
from api.problems import NOT_NOW, UNKNOWN_MEMBER, Problem


def centre_view(centre: Centre) -> dict[str, Any]:
    """Show a centre."""
    return {"id": centre.id, "name": centre.name, "uai": centre.uai, "created_at": iso(centre.created_at)}


def member_view(member: Member) -> dict[str, Any]:
    """Show a member; never the token."""
    return {
        "id": member.id,
        "name": member.name,
        "role": member.role,
        "created_at": iso(member.created_at),
        "revoked_at": None if member.revoked_at is None else iso(member.revoked_at),
    }


async def create_centre(
    context: Context, client_id: str, name: str, uai: str | None, once: Once | None = None
) -> Centre:
    """Create a centre of a platform; the same again when ``once`` was used before."""

    def store(connection: Connection) -> Centre:
        before = created_before(connection, once)
        known = None if before is None else centre_of(connection, before)
        if known is not None:
            return known
        centre = Centre(new_id(), client_id, name, uai, context.clock())
        add_centre(connection, centre)
        remember(connection, once, centre.id, centre.created_at)
        return centre

    try:
        return await context.write(store)
    except IntegrityError:  # another process was first with the same key: it is known now
        return await context.write(store)


async def list_centres(context: Context, client_id: str, cursor: str | None, limit: int) -> dict[str, Any]:
    """Show the centres of a platform, the latest first, page by page."""
    after = parsed_cursor(cursor)
    found = await context.read(lambda connection: centres_of_client(connection, client_id, after, limit + 1))
    shown, following = page(found, [centre.id for centre in found], limit)
    return {"items": [centre_view(centre) for centre in shown], "next": following}


async def create_member(
    context: Context, caller: Staff, centre_id: str, name: str, role: str, once: Once | None = None
) -> tuple[Member, str]:
    """Make somebody a member; return them with their token, of which the hash alone is stored.

    The token is derived from the server's secret, so that a request sent again with its key gets the same one.
    """

    def store(connection: Connection) -> Member:
        centre = required_centre(connection, caller, centre_id)
        before = created_before(connection, once)
        known = None if before is None else member_of(connection, centre.id, before)
        if known is not None:
            return known
        member = Member(new_id(), centre.id, name, role, context.clock())
        add_member(connection, member, fingerprint(member_token(context.keys.learner, member.id)))
        remember(connection, once, member.id, member.created_at)
        return member

    try:
        member = await context.write(store)
    except IntegrityError:
        member = await context.write(store)
    return member, member_token(context.keys.learner, member.id)


async def list_members(
    context: Context, caller: Staff, centre_id: str, cursor: str | None, limit: int
) -> dict[str, Any]:
    """Show the members of a centre in the order of their coming, page by page."""
    after = parsed_cursor(cursor)

    def read(connection: Connection) -> list[Member]:
        centre = required_centre(connection, caller, centre_id)
        members = members_of_centre(connection, centre.id)
        return [member for member in members if after is None or member.id > after][: limit + 1]

    found = await context.read(read)
    shown, following = page(found, [member.id for member in found], limit)
    return {"items": [member_view(member) for member in shown], "next": following}


async def remove_member(context: Context, caller: Staff, centre_id: str, member_id: str) -> None:
    """Revoke the token of a member; doing it again changes nothing.

    Raises
    ------
    Problem
        404 unknown centre or member; 409 when an administrator would leave the centre without any.
    """

    def store(connection: Connection) -> None:
        centre = required_centre(connection, caller, centre_id)
        known = parsed_id(member_id)
        member = None if known is None else member_of(connection, centre.id, known)
        if member is None:
            raise Problem(UNKNOWN_MEMBER, "The centre has no member of this id: check the id.")
        if member.revoked_at is not None:
            return
        admins = [one for one in members_of_centre(connection, centre.id) if one.role == ADMIN and not one.revoked_at]
        if isinstance(caller, Member) and [one.id for one in admins] == [member.id]:
            raise Problem(
                NOT_NOW, "This is the last administrator of the centre: name another one first.", reason="last-admin"
            )
        revoke_member(connection, member.id, context.clock())

    await context.write(store)
