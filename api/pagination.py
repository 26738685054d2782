"""Cursors: where a list goes on, as an opaque text."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import Query

from api.identifiers import parsed_id
from api.problems import INVALID_REQUEST, Problem

Entry = TypeVar("Entry")

Limit = Annotated[int, Query(ge=1, le=200, description="Most entries in one answer.")]
Cursor = Annotated[str | None, Query(max_length=64, description="The member next of the previous answer.")]


def cursor_after(last_id: str) -> str:
    """Write the cursor that follows an entry."""
    return base64.urlsafe_b64encode(last_id.encode()).decode().rstrip("=")


def parsed_cursor(cursor: str | None) -> str | None:
    """Read the id that a cursor follows; raise a 422 problem when it is no cursor of ours."""
    if cursor is None:
        return None
    try:
        last_id = parsed_id(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode())
    except (binascii.Error, ValueError):
        last_id = None
    if last_id is None:
        raise Problem(INVALID_REQUEST, "The cursor is not one of ours: copy the member next of the previous answer.")
    return last_id


def page(entries: Sequence[Entry], ids: Sequence[str], limit: int) -> tuple[Sequence[Entry], str | None]:
    """Cut ``limit + 1`` entries read into those to show and the cursor of the rest, None when there is no rest."""
    return entries[:limit], cursor_after(ids[limit - 1]) if len(entries) > limit else None
