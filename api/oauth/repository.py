"""SQL of the clients."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from api.tables import clients


@dataclass(frozen=True)
class Client:
    """A platform that may ask for tokens."""

    id: str
    name: str
    secret_hash: str
    scopes: tuple[str, ...]


def add_client(connection: Connection, client: Client, at: datetime) -> None:
    """Store a new client."""
    row = {
        "id": client.id,
        "name": client.name,
        "secret_hash": client.secret_hash,
        "scopes": " ".join(client.scopes),
        "created_at": at,
    }
    connection.execute(insert(clients).values(row))


def change_secret(connection: Connection, client_id: str, secret_hash: str) -> bool:
    """Give a client another secret; tell whether there is such a client."""
    changed = connection.execute(update(clients).where(clients.c.id == client_id).values(secret_hash=secret_hash))
    return changed.rowcount == 1


def client_of(connection: Connection, client_id: str) -> Client | None:
    """Return the client of that id, unless there is none or it was revoked."""
    query = select(clients).where(clients.c.id == client_id, clients.c.revoked_at.is_(None))
    row = connection.execute(query).one_or_none()
    return None if row is None else Client(row.id, row.name, row.secret_hash, tuple(row.scopes.split()))
