"""Clients of the API: how the command line makes one, and the one of a server on one's own machine."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from api.clock import now
from api.database import Database
from api.identifiers import fingerprint, new_id, new_secret
from api.oauth.repository import Client, add_client, change_secret, client_of
from api.oauth.scopes import SCOPES, checked_scopes
from engine.errors import SettingError

LOCAL = "local"


def create_client(database: Database, name: str, scopes: Iterable[str]) -> tuple[str, str]:
    """Create a client; its secret is told here and never again.

    Parameters
    ----------
    database : Database
        A migrated database.
    name : str
        Name for people, 1 to 255 characters.
    scopes : iterable of str
        What its tokens may allow: names of ``api.oauth.scopes.SCOPES``.

    Returns
    -------
    (client_id, client_secret) : tuple of str

    Raises
    ------
    SettingError
        When the name or a scope is not usable; the message says what to write.
    """
    title = name.strip()
    if not 1 <= len(title) <= 255 or not title.isprintable():
        raise SettingError("The name of a client has 1 to 255 printable characters; choose another name.")
    secret = new_secret()
    client = Client(f"jc_{new_id()}", title, fingerprint(secret), checked_scopes(scopes))
    with database.writing() as connection:
        add_client(connection, client, now())
    return client.id, secret


def own_client(connection: Connection, at: datetime) -> None:
    """Make the client of this server unless it exists: its organisations belong to it, and nobody knows its secret."""
    if client_of(connection, LOCAL) is None:
        client = Client(LOCAL, "This machine", fingerprint(new_secret()), checked_scopes(SCOPES))
        add_client(connection, client, at)


def local_client(url: str) -> tuple[str, str]:
    """Give the client of a server on one's own machine: always the same, with every scope and a new secret.

    Parameters
    ----------
    url : str
        Of a migrated database.

    Returns
    -------
    (client_id, client_secret) : tuple of str
    """
    secret = new_secret()
    with Database(url) as database, database.writing() as connection:
        if not change_secret(connection, LOCAL, fingerprint(secret)):
            client = Client(LOCAL, "This machine", fingerprint(secret), checked_scopes(SCOPES))
            add_client(connection, client, now())
    return LOCAL, secret
