"""Databases for tests: migrated once, then copied, on SQLite and on a PostgreSQL server of the tests' own."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from api.database import Database, parsed_url
from tests.load.postgresql import NoPostgresqlError, postgresql


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, which tests copy: that is quicker than migrating each time."""
    file = tmp_path_factory.mktemp("migrated") / "jalon.db"
    with Database(f"sqlite:///{file}") as database:
        database.migrate()
        with database.writing() as connection:
            connection.exec_driver_sql("SELECT 1")
    with sqlite3.connect(file, isolation_level=None) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    connection.close()
    return file


@pytest.fixture(scope="session")
def migrated_postgresql() -> Iterator[tuple[str, str]]:
    """A server, by its URL, and the name of a migrated database of it, from which tests make theirs.

    ``JALON_TEST_POSTGRESQL`` names a server where databases may be created; one of our own is started when it is unset.
    """
    with ExitStack() as ending:
        url = os.environ.get("JALON_TEST_POSTGRESQL")
        if not url:
            try:
                url = ending.enter_context(postgresql(durable=False))
            except NoPostgresqlError as error:
                pytest.skip(str(error))
        with new_database(url) as (name, address):
            with Database(address) as database:
                database.migrate()
            yield url, name


@contextmanager
def new_database(url: str, template: str = "template1") -> Iterator[tuple[str, str]]:
    """A database of its own on a server, its name and its URL; dropped at the end."""
    name = f"jalon_test_{uuid4().hex}"
    server = create_engine(parsed_url(url), isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        yield name, parsed_url(url).set(database=name).render_as_string(hide_password=False)
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        server.dispose()
