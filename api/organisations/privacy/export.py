"""Everything that is kept of a learner, for them: the right of access of articles 15 and 20 of the GDPR."""

from datetime import datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection

from api.clock import iso
from api.context import Context
from api.learners.service import required_learner
from api.oauth.tokens import Platform
from api.organisations.callers import Staff, required_organisation, who
from api.organisations.deeds import LEARNER_EXPORTED
from api.organisations.privacy.repository import (
    accesses_kept,
    certifications_kept,
    identities_kept,
    learner_row,
    participations_kept,
    registrations_kept,
    runs_kept,
    waiting_kept,
)
from api.organisations.registrations.service import required_registration
from api.organisations.repository import add_accesses, add_deed
from api.pagination import page, parsed_cursor

FORMAT: Final = 1
DATA: Final = "data"
"""What was seen of a learner, as their log of accesses names it."""


def everything_of(connection: Connection, learner_id: str, at: datetime) -> dict[str, Any] | None:
    """Gather everything that is kept of a learner; None when there is no such account.

    Tokens and codes are left out, for they would open something; so are the parameters of the items, and what is said
    of other candidates.
    """
    learner = learner_row(connection, learner_id)
    if learner is None:
        return None
    registrations = registrations_kept(connection, learner_id)
    return {
        "format": FORMAT,
        "at": iso(at),
        "learner": learner,
        "identities": identities_kept(connection, learner_id),
        "registrations": registrations,
        "waiting": waiting_kept(connection, learner_id, [one["id"] for one in registrations]),
        "runs": runs_kept(connection, learner_id),
        "participations": participations_kept(connection, learner_id),
        "certifications": certifications_kept(connection, learner_id),
        "accesses": accesses_kept(connection, learner_id),
    }


async def learner_data(context: Context, caller: Platform, learner_id: str) -> dict[str, Any]:
    """Show a platform everything that is kept of one of its learners, and log that it was seen.

    Raises
    ------
    Problem
        404 unknown learner.
    """

    def log(connection: Connection) -> str:
        learner = required_learner(connection, caller.client_id, learner_id)
        add_accesses(connection, [learner.id], None, context.clock(), who(caller), DATA)
        return learner.id

    known = await context.write(log)
    found = await context.read(partial(everything_of, learner_id=known, at=context.clock()))
    return found or {}


async def registration_data(
    context: Context, caller: Staff, organisation_id: str, registration_id: str
) -> dict[str, Any]:
    """Show an organisation what it keeps of a learner and what was sent to it, and log that it was seen.

    What the learner did elsewhere, or did not send, is not in it.

    Raises
    ------
    Problem
        404 unknown organisation or learner.
    """

    def log(connection: Connection) -> tuple[str, str]:
        organisation = required_organisation(connection, caller, organisation_id)
        registration = required_registration(connection, organisation.id, registration_id)
        at, by = context.clock(), who(caller)
        add_accesses(connection, [registration.learner_id], organisation.id, at, by, DATA)
        add_deed(connection, organisation.id, at, by, LEARNER_EXPORTED, {"registration": registration.id})
        return organisation.id, registration.learner_id

    def read(connection: Connection, own: str, learner_id: str) -> dict[str, Any]:
        registrations = registrations_kept(connection, learner_id, own)
        return {
            "format": FORMAT,
            "at": iso(context.clock()),
            "registrations": registrations,
            "participations": participations_kept(connection, learner_id, own),
            "certifications": certifications_kept(connection, learner_id, own),
            "accesses": accesses_kept(connection, learner_id, own),
        }

    own, learner_id = await context.write(log)
    return await context.read(partial(read, own=own, learner_id=learner_id))


async def list_accesses(
    context: Context, caller: Platform, learner_id: str, cursor: str | None, limit: int
) -> dict[str, Any]:
    """Show who saw what of a learner, the latest first, page by page; raise a 404 problem when there is none."""
    after = parsed_cursor(cursor)

    def read(connection: Connection) -> list[dict[str, Any]]:
        learner = required_learner(connection, caller.client_id, learner_id)
        return accesses_kept(connection, learner.id, None, after, limit + 1)

    found = await context.read(read)
    shown, following = page(found, [one["id"] for one in found], limit)
    return {"items": shown, "next": following}
