"""SQL of the learners."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from api.tables import learners


@dataclass(frozen=True)
class Learner:
    """A person who is positioned; known to one platform, or to none in self-service."""

    id: str
    client_id: str | None
    external_id: str | None
    created_at: datetime


def add_learner(connection: Connection, learner: Learner) -> None:
    """Store a new learner."""
    connection.execute(insert(learners).values(**asdict(learner)))


def learner_of_client(connection: Connection, client_id: str, learner_id: str) -> Learner | None:
    """Return a learner of a platform by id."""
    query = select(learners).where(learners.c.id == learner_id, learners.c.client_id == client_id)
    return _learner(connection.execute(query).one_or_none())


def learner_by_external_id(connection: Connection, client_id: str, external_id: str) -> Learner | None:
    """Return a learner of a platform by the platform's own identifier."""
    query = select(learners).where(learners.c.client_id == client_id, learners.c.external_id == external_id)
    return _learner(connection.execute(query).one_or_none())


def learners_of_client(
    connection: Connection, client_id: str, external_id: str | None, after: str | None, limit: int
) -> list[Learner]:
    """Return learners of a platform, the oldest first, those behind ``after``."""
    query = select(learners).where(learners.c.client_id == client_id).order_by(learners.c.id).limit(limit)
    if external_id is not None:
        query = query.where(learners.c.external_id == external_id)
    if after is not None:
        query = query.where(learners.c.id > after)
    return [Learner(**row._asdict()) for row in connection.execute(query)]


def _learner(row: Row[Any] | None) -> Learner | None:
    return None if row is None else Learner(**row._asdict())
