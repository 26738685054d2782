"""Invitations: an administrator hands out a code, and whoever has it becomes a member, once, within its days."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.clock import iso
from api.context import Context
from api.idempotency import Once, created_before, remember
from api.identifiers import (
    fingerprint,
    invitation_code,
    member_token,
    new_id,
    parsed_certificate_code,
    parsed_id,
    written_access_code,
)
from api.organisations.callers import Staff, required_organisation, who
from api.organisations.deeds import INVITATION_ANSWERED, INVITATION_CREATED, INVITATION_WITHDRAWN
from api.organisations.records import Invitation, Member
from api.organisations.repository import (
    add_deed,
    add_invitation,
    add_member,
    change_invitation,
    invitation_of,
    invitation_of_code,
    invitations_of,
    member_of,
    organisation_of,
)
from api.pagination import page, parsed_cursor
from api.problems import NOT_NOW, UNKNOWN_INVITATION, Problem


def invitation_view(context: Context, invitation: Invitation) -> dict[str, Any]:
    """Show an invitation; never its code."""
    return {
        "id": invitation.id,
        "name": invitation.name,
        "role": invitation.role,
        "state": invitation.state(context.clock()),
        "created_at": iso(invitation.created_at),
        "expires_at": iso(invitation.expires_at),
        "member_id": invitation.member_id,
    }


async def invite(
    context: Context, caller: Staff, organisation_id: str, name: str, role: str, once: Once | None = None
) -> dict[str, Any]:
    """Make an invitation; it is shown with its code, of which the hash alone is stored."""

    def store(connection: Connection) -> Invitation:
        organisation = required_organisation(connection, caller, organisation_id)
        before = created_before(connection, once)
        known = None if before is None else invitation_of(connection, organisation.id, before)
        if known is not None:
            return known
        at = context.clock()
        expires = at + timedelta(days=context.settings.invitation_days)
        made = Invitation(new_id(), organisation.id, name, role, at, expires)
        add_invitation(connection, made, fingerprint(invitation_code(context.keys.learner, made.id)))
        told = {"invitation": made.id, "name": name, "role": role}
        add_deed(connection, organisation.id, at, who(caller), INVITATION_CREATED, told)
        remember(connection, once, made.id, at)
        return made

    try:
        made = await context.write(store)
    except IntegrityError:
        made = await context.write(store)
    code = invitation_code(context.keys.learner, made.id)
    link = f"{context.settings.public_url}/team/invitation?code={code}"
    return {**invitation_view(context, made), "code": written_access_code(code), "link": link}


async def list_invitations(
    context: Context, caller: Staff, organisation_id: str, cursor: str | None, limit: int
) -> dict[str, Any]:
    """Show the invitations of an organisation, the latest first, page by page."""
    after = parsed_cursor(cursor)

    def read(connection: Connection) -> list[Invitation]:
        organisation = required_organisation(connection, caller, organisation_id)
        return invitations_of(connection, organisation.id, after, limit + 1)

    found = await context.read(read)
    shown, following = page(found, [one.id for one in found], limit)
    return {"items": [invitation_view(context, one) for one in shown], "next": following}


async def withdraw(context: Context, caller: Staff, organisation_id: str, invitation_id: str) -> None:
    """Make an invitation worthless; doing it again changes nothing.

    Raises
    ------
    Problem
        404 unknown organisation or invitation; 409 when it was answered.
    """

    def store(connection: Connection) -> None:
        organisation = required_organisation(connection, caller, organisation_id)
        known = parsed_id(invitation_id)
        found = None if known is None else invitation_of(connection, organisation.id, known, lock=True)
        if found is None:
            raise unknown_invitation()
        if found.member_id is not None:
            raise Problem(
                NOT_NOW, "Somebody came by this invitation: remove the member instead.", reason="invitation-answered"
            )
        if found.withdrawn_at is None:
            at = context.clock()
            change_invitation(connection, found.id, {"withdrawn_at": at})
            told = {"invitation": found.id, "name": found.name}
            add_deed(connection, organisation.id, at, who(caller), INVITATION_WITHDRAWN, told)

    await context.write(store)


async def find_invitation(context: Context, code: str, address: str) -> Invitation:
    """Return the invitation that a code opens now; raise a 404 problem when there is none."""
    context.sign_in_limit.try_once(address)
    return await context.read(lambda connection: _open(context, connection, code))


async def answer(
    context: Context, code: str, name: str | None, address: str, key: str | None = None
) -> tuple[Member, str]:
    """Become a member by the code of an invitation; the same again when it is sent again with the same key.

    Returns
    -------
    (Member, str)
        The new member and their token, which is told here and never again.

    Raises
    ------
    Problem
        404 when no invitation that is open has this code; 429.
    """
    context.sign_in_limit.try_once(address)

    def store(connection: Connection) -> Member:
        typed = parsed_certificate_code(code)
        invitation = None if typed is None else invitation_of_code(connection, fingerprint(typed), lock=True)
        if invitation is None:
            raise unknown_invitation()
        organisation = organisation_of(connection, invitation.organisation_id)
        assert organisation is not None
        once = Once.of(organisation.client_id, f"invitation:{invitation.id}", key, str(name))
        before = created_before(connection, once)
        known = None if before is None else member_of(connection, organisation.id, before)
        if known is not None:
            return known
        at = context.clock()
        if invitation.state(at) != "open":
            raise unknown_invitation()
        member = Member(new_id(), invitation.organisation_id, name or invitation.name, invitation.role, at)
        add_member(connection, member, fingerprint(member_token(context.keys.learner, member.id)))
        change_invitation(connection, invitation.id, {"member_id": member.id})
        told = {"invitation": invitation.id, "member": member.id, "name": member.name, "role": member.role}
        add_deed(connection, member.organisation_id, at, f"member:{member.id}", INVITATION_ANSWERED, told)
        remember(connection, once, member.id, at)
        return member

    member = await context.write(store)
    return member, member_token(context.keys.learner, member.id)


def unknown_invitation() -> Problem:
    """Build the problem for an invitation that does not exist, or not any more."""
    return Problem(
        UNKNOWN_INVITATION,
        "No invitation that is still open is found here: check each letter, or ask for another one.",
    )


def _open(context: Context, connection: Connection, code: str) -> Invitation:
    typed = parsed_certificate_code(code)
    found = None if typed is None else invitation_of_code(connection, fingerprint(typed))
    if found is None or found.state(context.clock()) != "open":
        raise unknown_invitation()
    return found
