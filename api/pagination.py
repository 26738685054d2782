"""Cursors: where a list goes on, as a text that clients copy and do not read."""

from collections.abc import Sequence
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Query

Entry = TypeVar("Entry")

Limit = Annotated[int, Query(ge=1, le=200, description="Most entries in one answer.")]
Cursor = Annotated[str | None, Query(pattern="^[0-9a-f]{32}$", description="The member next of the previous answer.")]


def parsed_cursor(cursor: str | None) -> str | None:
    """Read the id of the entry that a cursor follows.

    >>> parsed_cursor("0190a1b2000070008000000000000000")
    '0190a1b2-0000-7000-8000-000000000000'
    """
    return None if cursor is None else str(UUID(cursor))


def page(entries: Sequence[Entry], ids: Sequence[str], limit: int) -> tuple[Sequence[Entry], str | None]:
    """Cut ``limit + 1`` entries read into those to show and the cursor of the rest, None when there is no rest."""
    return entries[:limit], UUID(ids[limit - 1]).hex if len(entries) > limit else None
