"""The database: one URL, SQLite or PostgreSQL, a connection that writes and a pool that reads."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import as_file, files
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from engine.errors import SettingError

BUSY_MILLISECONDS = 10_000
_MIGRATION_LOCK = 7_205_759_403
_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def parsed_url(text: str) -> URL:
    """Read a database URL; raise ``SettingError`` when it cannot be used.

    >>> parsed_url("postgresql://jalon@localhost/jalon").drivername
    'postgresql+psycopg'
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise SettingError(
            "The database URL is not understood; write sqlite:///FILE or postgresql://USER@HOST/NAME."
        ) from None
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise SettingError(f"The database {url.drivername!r} is not supported; use sqlite or postgresql.")
    if driver.startswith("sqlite") and url.database in (None, "", ":memory:"):
        raise SettingError("An SQLite database in memory would lose every run; name a file, as sqlite:///jalon.db.")
    return url.set(drivername=driver)


def checked_url(text: str) -> str:
    """Return ``text`` when it is a usable database URL; raise ``SettingError`` otherwise."""
    parsed_url(text)
    return text


class Database:
    """A database opened for this process; a context manager that closes its connections.

    Parameters
    ----------
    url : str
        ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/NAME``.
    readers : int
        Connections kept open for reading.
    create : bool
        Whether an SQLite file that does not exist is created.

    Raises
    ------
    SettingError
        When there is no such file or no driver; ``migrate`` raises it when the database cannot be opened.
    """

    def __init__(self, url: str, readers: int = 8, create: bool = True) -> None:
        parsed = parsed_url(url)
        self.dialect = parsed.get_backend_name()
        self.shown = parsed.render_as_string(hide_password=True)
        if self.dialect == "sqlite" and create:
            _create_private(parsed.database or "")
        elif self.dialect == "sqlite" and not Path(parsed.database or "").is_file():
            raise SettingError(f"There is no database {parsed.database}; give the server's with --database.")
        self._writing = _engine(parsed, 1)
        self._reading = _engine(parsed, readers)
        if self.dialect == "postgresql":
            # what a transaction reads is one state, not that of each statement
            self._reading = self._reading.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")
        else:
            _prepare_sqlite(self._writing, "BEGIN IMMEDIATE", ("journal_mode=WAL", "synchronous=FULL"))
            _prepare_sqlite(self._reading, "BEGIN", ("query_only=ON",))

    def __enter__(self) -> Self:
        """Return the database itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        self.close()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that writes: committed at the end, rolled back by an exception."""
        with self._writing.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that reads one consistent state."""
        with self._reading.begin() as connection:
            yield connection

    def migrate(self) -> None:
        """Create the tables, or bring them up to date; several processes may do it at once."""
        with self.opened():
            self._migrate()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Say in one sentence that the database cannot be used, where the driver says it in its own way."""
        try:
            yield
        except DBAPIError as error:
            cause = str(error.orig).strip().partition("\n")[0]
            raise SettingError(f"The database {self.shown} cannot be used ({cause}); check its address.") from error

    def _migrate(self) -> None:
        with self.writing() as connection, as_file(files("api") / "migrations") as folder:
            if self.dialect == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            config = Config()
            config.set_main_option("script_location", str(folder).replace("%", "%%"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def close(self) -> None:
        """Close every connection."""
        self._writing.dispose()
        self._reading.dispose()


def _create_private(file: str) -> None:
    """Create a file that only its owner may read: it holds the server's secrets, and SQLite would let everybody read.

    One that exists keeps its rights; what SQLite puts beside it (write-ahead log) gets those of the database.
    """
    if not file.startswith("file:"):
        with suppress(OSError):  # it exists, or cannot be made: SQLite says so when it opens it
            os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))


def _engine(url: URL, size: int) -> Engine:
    """Make an engine whose errors do not show the values of a statement: answers and codes stay out of the logs."""
    if url.get_backend_name() == "sqlite":
        return create_engine(
            url, pool_size=size, max_overflow=2, hide_parameters=True, connect_args={"check_same_thread": False}
        )
    try:
        return create_engine(url, pool_size=size, max_overflow=2, hide_parameters=True, pool_pre_ping=size > 1)
    except ModuleNotFoundError as error:
        raise SettingError('PostgreSQL needs its driver; run python -m pip install "jalon[postgresql]".') from error


def _prepare_sqlite(engine: Engine, begin: str, pragmas: tuple[str, ...]) -> None:
    """Let SQLAlchemy, not the driver, begin transactions, and set the pragmas of each new connection."""

    @event.listens_for(engine, "connect")
    def on_connect(driver_connection: Any, _record: Any) -> None:
        driver_connection.isolation_level = None
        for pragma in (f"busy_timeout={BUSY_MILLISECONDS}", "foreign_keys=ON", *pragmas):
            driver_connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
