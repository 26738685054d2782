"""Idempotency keys of those who act for an organisation: kept under its platform, and for each caller apart."""

import hashlib
import json
from collections.abc import Callable

from sqlalchemy import Connection

from api.context import Context
from api.idempotency import Once
from api.organisations.callers import Staff, required_organisation, who
from api.organisations.records import Organisation


async def once_for(
    context: Context,
    caller: Staff,
    owner_id: str,
    what: str,
    key: str | None,
    request: str,
    organisation_of: Callable[[Connection, Staff, str], Organisation] = required_organisation,
) -> Once | None:
    """Mark a creation in an organisation, or in something of it; None without a key.

    Parameters
    ----------
    context : Context
    caller : Platform or Member
    owner_id : str
        Of the organisation, or of what ``organisation_of`` finds, such as a session.
    what : str
        What is created.
    key : str or None
    request : str
        Canonical text of the request.
    organisation_of : function of (connection, caller, owner_id)
        Finds the organisation to which the owner belongs.

    Raises
    ------
    Problem
        404 when the caller may not know of the owner.
    """
    if key is None:
        return None
    owner = await context.read(lambda connection: organisation_of(connection, caller, owner_id))
    place = hashlib.sha256(json.dumps([what, owner_id.lower(), who(caller)]).encode()).hexdigest()
    return Once.of(owner.client_id, place, key, request)
