"""Issuing a certificate, and what it is worth on a day."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from api.certification.certificates.repository import add_certificate, certificates_of, change_certificate
from api.certification.records import Candidate, Certificate
from api.identifiers import certificate_code, fingerprint, new_id
from engine.certification import CertificationDesign

SCORED_AGAIN = "Scored again with another calibration, the test no longer validates."
"""Why a certificate is revoked when a later scoring is published that does not validate."""


class Status(StrEnum):
    """What a certificate is worth."""

    VALID = "valid"
    EXPIRED = "expired"
    REPLACED = "replaced"  # a later scoring of the same test has a certificate of its own
    REVOKED = "revoked"


def status_of(certificate: Certificate, at: datetime) -> Status:
    """Say what a certificate is worth at a moment."""
    if certificate.revoked_at is not None:
        return Status.REVOKED
    if certificate.replaced_by is not None:
        return Status.REPLACED
    return Status.VALID if at < certificate.expires_at else Status.EXPIRED


def issue(
    connection: Connection, key: bytes, candidate: Candidate, version: int, rules: CertificationDesign, at: datetime
) -> Certificate:
    """Issue the certificate of a scoring; those of earlier scorings are replaced, and shown as their holder chose."""
    before = [old for old in certificates_of(connection, candidate.id) if old.scoring_version < version]
    new = Certificate(
        id=new_id(),
        candidate_id=candidate.id,
        scoring_version=version,
        code_hash="",
        issued_at=at,
        expires_at=years_after(at, rules.years),
        shows_name=bool(before) and before[-1].shows_name,
        shows_levels=bool(before) and before[-1].shows_levels,
    )
    new = Certificate(**{**vars(new), "code_hash": fingerprint(certificate_code(key, new.id))})
    add_certificate(connection, new)
    for old in before:
        if old.revoked_at is None and old.replaced_by is None:
            change_certificate(connection, old.id, {"replaced_by": new.id})
    return new


def withdraw_certificates(connection: Connection, candidate_id: str, at: datetime, why: str) -> None:
    """Revoke the certificates of a candidate that still stand."""
    for old in certificates_of(connection, candidate_id):
        if old.revoked_at is None and old.replaced_by is None:
            change_certificate(connection, old.id, {"revoked_at": at, "revoked_why": why})


def years_after(moment: datetime, years: int) -> datetime:
    """Return the same day and hour so many calendar years later, the last day of February for one that is not there.

    >>> from datetime import UTC
    >>> print(years_after(datetime(2028, 2, 29, 8, 30, tzinfo=UTC), 3))
    2031-02-28 08:30:00+00:00
    """
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:
        return moment.replace(year=moment.year + years, day=28)
