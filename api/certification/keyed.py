"""Idempotency keys of those who act for a centre: they are kept under its platform, and for each caller apart."""

import hashlib
import json
from typing import Any

from api.certification.callers import Staff, required_centre, required_session, who
from api.certification.repository import centre_of
from api.context import Context
from api.idempotency import Once


async def once_for(
    context: Context, caller: Staff, owner_id: str, what: str, key: str | None, request: str, session: bool = False
) -> Once | None:
    """Mark a creation in a centre, or in one of its sessions; None without a key.

    Parameters
    ----------
    context : Context
    caller : Platform or Member
    owner_id : str
        Of the centre, or of the session.
    what : str
        What is created.
    key : str or None
    request : str
        Canonical text of the request.
    session : bool
        Whether the owner is a session.

    Raises
    ------
    Problem
        404 when the caller may not know of the centre or the session.
    """
    if key is None:
        return None

    def read(connection: Any) -> str:
        if session:
            centre = centre_of(connection, required_session(connection, caller, owner_id).centre_id)
            assert centre is not None
            return centre.client_id
        return required_centre(connection, caller, owner_id).client_id

    client_id = await context.read(read)
    place = hashlib.sha256(json.dumps([what, owner_id.lower(), who(caller)]).encode()).hexdigest()
    return Once.of(client_id, place, key, request)
