"""The server's own secrets, kept in the database so that every process signs alike."""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, select

from api.clock import now
from api.database import Database
from api.storage import insert_missing
from api.tables import signing_keys

ACCESS, LEARNER, CODE = "access-token", "learner-token", "certificate-code"
_PURPOSES = (ACCESS, LEARNER, CODE)


@dataclass(frozen=True, repr=False)
class Keys:
    """Secrets of 256 bits: one signs platforms' access tokens, the others derive what need not be stored."""

    access: bytes
    learner: bytes
    """Derives learners' tokens."""
    code: bytes
    """Derives the verification codes of certificates."""


def load_keys(database: Database) -> Keys:
    """Read the server's secrets, drawn at the first start."""
    with database.reading() as connection:
        found = _read(connection)
    if found is None:
        with database.writing() as connection:
            for purpose in _PURPOSES:
                row = {"purpose": purpose, "version": 1, "secret": secrets.token_bytes(32), "created_at": now()}
                insert_missing(connection, signing_keys, row)
            found = _read(connection)
        assert found is not None
    return found


def _read(connection: Connection) -> Keys | None:
    rows = connection.execute(select(signing_keys.c.purpose, signing_keys.c.secret).order_by(signing_keys.c.version))
    latest = {row.purpose: bytes(row.secret) for row in rows}
    return Keys(*(latest[purpose] for purpose in _PURPOSES)) if latest.keys() >= set(_PURPOSES) else None
