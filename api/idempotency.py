"""Idempotency keys: a creation that is sent again with its key creates nothing, and gives the same resource."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Header
from sqlalchemy import Connection, insert, select

from api.problems import KEY_REUSED, Problem
from api.tables import idempotency_keys

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Any unique text: the same request sent again with it is carried out once.",
    ),
]


@dataclass(frozen=True)
class Once:
    """A creation that a client marked with a key."""

    client_id: str
    endpoint: str
    key: str
    request_hash: str

    @classmethod
    def of(cls, client_id: str, endpoint: str, key: str | None, request: str) -> "Once | None":
        """Mark a request, given as canonical text; None without a key."""
        if key is None:
            return None
        return cls(client_id, endpoint, key, hashlib.sha256(request.encode("utf-8", "backslashreplace")).hexdigest())


def created_before(connection: Connection, once: Once | None) -> str | None:
    """Return what the first request of this key created; raise a 409 problem when that was another request."""
    if once is None:
        return None
    table = idempotency_keys.c
    query = select(table.request_hash, table.resource_id).where(
        table.client_id == once.client_id, table.endpoint == once.endpoint, table.key == once.key
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.request_hash != once.request_hash:
        raise Problem(
            KEY_REUSED, "This Idempotency-Key came with another request before: draw a new key for a new one."
        )
    resource_id: str = row.resource_id
    return resource_id


def remember(connection: Connection, once: Once | None, resource_id: str, at: datetime) -> None:
    """Store what the first request of a key created."""
    if once is not None:
        row = {
            "client_id": once.client_id,
            "endpoint": once.endpoint,
            "key": once.key,
            "request_hash": once.request_hash,
            "resource_id": resource_id,
            "created_at": at,
        }
        connection.execute(insert(idempotency_keys).values(**row))
