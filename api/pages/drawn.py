"""Keys that forms carry, so that a form that is sent twice is carried out once."""

import hashlib
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.requests import Request

from api.context import context_of
from api.idempotency import Once
from api.identifiers import new_id, parsed_id
from api.organisations.callers import Staff, required_organisation
from api.organisations.keyed import once_for
from api.organisations.records import Member, Organisation

FIELD: Final = "key"
"""Name of the hidden field."""


def drawn_key() -> str:
    """Draw a key for a form that is shown."""
    return new_id()


async def once_of(
    request: Request,
    member: Member,
    owner_id: str,
    what: str,
    form: FormData,
    content: str,
    organisation_of: Callable[[Connection, Staff, str], Organisation] = required_organisation,
) -> Once | None:
    """Mark what a form creates by the key drawn for it and by what it holds; see :func:`once_for`.

    Somebody who goes back and sends the form with other words asks for something else, which is carried out too.
    """
    key = parsed_id(str(form.get(FIELD, "")))
    if key is None:
        return None
    told = hashlib.sha256(f"{key} {content}".encode("utf-8", "backslashreplace")).hexdigest()
    return await once_for(context_of(request), member, owner_id, f"form of {what}", told, content, organisation_of)
