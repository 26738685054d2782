"""The statement that several repositories need and that each database words in its own way."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_missing(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert ``row`` unless a row with its key is there; tell whether it was inserted."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return connection.execute(insert(table).values(**row).on_conflict_do_nothing()).rowcount == 1
