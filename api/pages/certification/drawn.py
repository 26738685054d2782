"""Keys that forms carry, so that a form that is sent twice is carried out once."""

import hashlib
from typing import Final

from starlette.datastructures import FormData
from starlette.requests import Request

from api.certification.keyed import once_for
from api.certification.records import Member
from api.context import context_of
from api.idempotency import Once
from api.identifiers import new_id, parsed_id

FIELD: Final = "key"
"""Name of the hidden field."""


def drawn_key() -> str:
    """Draw a key for a form that is shown."""
    return new_id()


async def once_of(
    request: Request, member: Member, owner_id: str, what: str, form: FormData, content: str, session: bool = False
) -> Once | None:
    """Mark what a form creates by the key drawn for it and by what it holds; see :func:`once_for`.

    Somebody who goes back and sends the form with other words asks for something else, which is carried out too.
    """
    key = parsed_id(str(form.get(FIELD, "")))
    if key is None:
        return None
    told = hashlib.sha256(f"{key} {content}".encode("utf-8", "backslashreplace")).hexdigest()
    return await once_for(context_of(request), member, owner_id, f"form of {what}", told, content, session)
