"""SQL of certificates."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from api.certification.records import Certificate
from api.certification.tables import candidates, certificates


def add_certificate(connection: Connection, certificate: Certificate) -> None:
    """Store a new certificate."""
    connection.execute(insert(certificates).values(**vars(certificate)))


def certificate_of(connection: Connection, certificate_id: str) -> Certificate | None:
    """Return the certificate of that id."""
    row = connection.execute(select(certificates).where(certificates.c.id == certificate_id)).one_or_none()
    return None if row is None else _certificate(row)


def certificate_of_code(connection: Connection, code_hash: str) -> Certificate | None:
    """Return the certificate whose verification code has this hash."""
    row = connection.execute(select(certificates).where(certificates.c.code_hash == code_hash)).one_or_none()
    return None if row is None else _certificate(row)


def certificates_of(connection: Connection, candidate_id: str) -> list[Certificate]:
    """Return the certificates of a candidate, in the order of the scorings that they attest."""
    query = select(certificates).where(certificates.c.candidate_id == candidate_id)
    return [_certificate(row) for row in connection.execute(query.order_by(certificates.c.scoring_version))]


def certificates_of_session(connection: Connection, session_id: str) -> dict[str, list[Certificate]]:
    """Return the certificates of a session, in the order of the scorings that they attest, by candidate."""
    query = (
        select(certificates)
        .join(candidates, candidates.c.id == certificates.c.candidate_id)
        .where(candidates.c.session_id == session_id)
        .order_by(certificates.c.scoring_version)
    )
    found: dict[str, list[Certificate]] = {}
    for row in connection.execute(query):
        found.setdefault(row.candidate_id, []).append(_certificate(row))
    return found


def change_certificate(connection: Connection, certificate_id: str, values: Mapping[str, Any]) -> None:
    """Change columns of a certificate."""
    connection.execute(update(certificates).where(certificates.c.id == certificate_id).values(**values))


def _certificate(row: Row[Any]) -> Certificate:
    return Certificate(**row._asdict())
