"""The audit of an organisation: who did what, for its administrators."""

from typing import Any

from sqlalchemy import Connection

from api.clock import iso
from api.context import Context
from api.organisations.callers import Staff, required_organisation
from api.organisations.repository import deeds_of, members_of_organisation
from api.pagination import page, parsed_cursor


async def list_deeds(
    context: Context, caller: Staff, organisation_id: str, cursor: str | None, limit: int
) -> dict[str, Any]:
    """Show what was done in an organisation, the latest first, page by page."""
    after = parsed_cursor(cursor)

    def read(connection: Connection) -> tuple[list[dict[str, Any]], dict[str, str]]:
        organisation = required_organisation(connection, caller, organisation_id)
        names = {f"member:{one.id}": one.name for one in members_of_organisation(connection, organisation.id)}
        return deeds_of(connection, organisation.id, after, limit + 1), names

    found, names = await context.read(read)
    shown, following = page(found, [deed["id"] for deed in found], limit)
    items = [
        {
            "id": deed["id"],
            "at": iso(deed["at"]),
            "who": deed["who"],
            "name": names.get(deed["who"]),
            "kind": deed["kind"],
            "data": deed["data"],
        }
        for deed in shown
    ]
    return {"items": items, "next": following}
