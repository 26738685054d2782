"""Statements that several repositories need and that each database words, or runs, in its own way."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite

_ROWS_AT_ONCE = 1_000
"""Both databases limit the parameters of one statement: 32,766 and 65,535."""


def insert_missing(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert ``row`` unless a row with its key is there; tell whether it was inserted."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return connection.execute(insert(table).values(**row).on_conflict_do_nothing()).rowcount == 1


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert complete rows by one statement with all their values.

    The driver then works once for all rows: a thread that writes gives the interpreter away, and waits to have it back,
    once and not for each row, and PostgreSQL is called once.
    """
    processors = _processors(table, connection.dialect)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        chunk = rows[start : start + _ROWS_AT_ONCE]
        values = [
            row[name] if process is None else process(row[name])
            for row in chunk
            for name, process in processors.items()
        ]
        connection.exec_driver_sql(_insert(table, len(chunk), connection.dialect.paramstyle), tuple(values))


def look_again(connection: Connection, *tables: Table) -> None:
    """Let the database see how much some tables hold now, before statements whose plan depends on it.

    PostgreSQL looks by itself, but a minute later: until then it takes a table that was just filled for an empty one.
    """
    if connection.dialect.name == "postgresql":
        for table in tables:
            connection.exec_driver_sql(f"ANALYZE {table.name}")


@cache
def _processors(table: Table, dialect: Dialect) -> dict[str, Callable[[Any], Any] | None]:
    """How SQLAlchemy writes the values of each column for the driver."""
    return {column.name: column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns}


@cache
def _insert(table: Table, rows: int, style: str) -> str:
    place = "?" if style == "qmark" else "%s"
    names = ", ".join(column.name for column in table.columns)
    one = f"({', '.join([place] * len(table.columns))})"
    return f"INSERT INTO {table.name} ({names}) VALUES {', '.join([one] * rows)}"
