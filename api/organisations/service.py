"""Organisations of a platform."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.clock import iso
from api.context import Context
from api.idempotency import Once, created_before, remember
from api.identifiers import new_id
from api.organisations.deeds import ORGANISATION_CREATED
from api.organisations.records import Organisation
from api.organisations.repository import add_deed, add_organisation, organisation_of, organisations_of_client
from api.pagination import page, parsed_cursor


def organisation_view(organisation: Organisation) -> dict[str, Any]:
    """Show an organisation."""
    return {
        "id": organisation.id,
        "name": organisation.name,
        "uai": organisation.uai,
        "created_at": iso(organisation.created_at),
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
        by, told = f"platform:{client_id}", {"name": name, "uai": uai}
        add_deed(connection, organisation.id, organisation.created_at, by, ORGANISATION_CREATED, told)
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
