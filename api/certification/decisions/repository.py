"""SQL of scorings."""

from typing import Any

from sqlalchemy import Connection, Row, insert, select

from api.certification.records import Scoring
from api.certification.tables import candidates, scorings


def add_scoring(connection: Connection, scoring: Scoring) -> None:
    """Append a scoring; a version that is already there makes the database refuse (``IntegrityError``)."""
    connection.execute(insert(scorings).values(**vars(scoring)))


def scoring_of(connection: Connection, candidate_id: str, version: int) -> Scoring | None:
    """Return a version of a candidate's scoring."""
    query = select(scorings).where(scorings.c.candidate_id == candidate_id, scorings.c.version == version)
    row = connection.execute(query).one_or_none()
    return None if row is None else _scoring(row)


def scorings_of(connection: Connection, candidate_id: str) -> list[Scoring]:
    """Return every version of a candidate's scoring, in order."""
    query = select(scorings).where(scorings.c.candidate_id == candidate_id).order_by(scorings.c.version)
    return [_scoring(row) for row in connection.execute(query)]


def scorings_of_session(connection: Connection, session_id: str) -> dict[str, list[Scoring]]:
    """Return every version of the scorings of a session, in order, by candidate."""
    query = (
        select(scorings)
        .join(candidates, candidates.c.id == scorings.c.candidate_id)
        .where(candidates.c.session_id == session_id)
        .order_by(scorings.c.candidate_id, scorings.c.version)
    )
    found: dict[str, list[Scoring]] = {}
    for row in connection.execute(query):
        found.setdefault(row.candidate_id, []).append(_scoring(row))
    return found


def _scoring(row: Row[Any]) -> Scoring:
    return Scoring(**row._asdict())
