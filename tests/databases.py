"""Databases for tests: their tables are made once in a session, and copied for each test."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from sqlalchemy import URL, create_engine, text

from api.database import Database, parsed_url


class Template(Protocol):
    """A database with tables and nothing in them."""

    @contextmanager
    def copied(self, folder: Path) -> Iterator[str]:
        """The URL of a copy of its own, which is gone afterwards; ``folder`` is a temporary one for files."""
        ...


class SqliteTemplate:
    """A file."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "template.db"
        _migrate(f"sqlite:///{self._file}")

    @contextmanager
    def copied(self, folder: Path) -> Iterator[str]:
        yield f"sqlite:///{shutil.copy(self._file, folder / 'jalon.db')}"


class PostgresqlTemplate:
    """A database of a server, which makes copies of it faster than tables; a context manager that drops it."""

    def __init__(self, server: str) -> None:
        self._server = parsed_url(server)
        self._engine = create_engine(self._server, isolation_level="AUTOCOMMIT")
        self._name = self._created()
        _migrate(_shown(self._server.set(database=self._name)))

    @contextmanager
    def copied(self, folder: Path) -> Iterator[str]:
        name = self._created(f"TEMPLATE {self._name}")
        try:
            yield _shown(self._server.set(database=name))
        finally:
            self._dropped(name)

    def close(self) -> None:
        self._dropped(self._name)
        self._engine.dispose()

    def _created(self, options: str = "") -> str:
        name = f"jalon_test_{uuid4().hex}"
        self._execute(f"CREATE DATABASE {name} {options}")
        return name

    def _dropped(self, name: str) -> None:
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(statement))


def _migrate(url: str) -> None:
    with Database(url) as database:
        database.migrate()


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=False)
