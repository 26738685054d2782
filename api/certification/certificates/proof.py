"""The proof of certificates: each is issued, replaced and revoked where the facts say so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from api.certification.certificates.issue import SCORED_AGAIN, years_after
from api.certification.certificates.repository import certificates_of
from api.certification.records import Candidate, Certificate
from api.certification.states import VALIDATED, Event, Kind
from api.clock import iso
from api.runs.difference import DifferenceError
from engine.certification import CertificationDesign


@dataclass
class _Expected:
    """A certificate as the facts tell of it."""

    version: int
    issued_at: datetime
    revoked_at: datetime | None = None
    revoked_why: str | None = None
    replaced: bool = False

    @property
    def stands(self) -> bool:
        return self.revoked_at is None and not self.replaced


def check_certificates(
    connection: Connection,
    candidate: Candidate,
    events: Sequence[Event],
    rules: CertificationDesign,
) -> None:
    """Check the certificates of a candidate against their facts.

    Raises
    ------
    DifferenceError
    """
    expected, stored = _told(events), certificates_of(connection, candidate.id)
    if [one.version for one in expected] != [one.scoring_version for one in stored]:
        raise DifferenceError(f"There are {len(stored)} certificates where the facts tell of {len(expected)}.")
    for told, kept in zip(expected, stored, strict=True):
        where = f"Certificate of scoring {told.version}"
        if kept.issued_at != told.issued_at or kept.expires_at != years_after(told.issued_at, rules.years):
            raise DifferenceError(f"{where}: it is not valid for {rules.years} years from {iso(told.issued_at)} on.")
        if (kept.revoked_at, kept.revoked_why) != (told.revoked_at, told.revoked_why):
            raise DifferenceError(f"{where}: it is not revoked when and for the reason that the facts say.")
        _check_replaced(where, told, kept, stored)


def _check_replaced(where: str, told: _Expected, kept: Certificate, stored: Sequence[Certificate]) -> None:
    later = {one.id for one in stored if one.scoring_version > told.version}
    if told.replaced != (kept.replaced_by is not None) or (told.replaced and kept.replaced_by not in later):
        raise DifferenceError(f"{where}: it is not replaced as the facts say.")


def _told(events: Sequence[Event]) -> list[_Expected]:
    """Derive what certificates there are."""
    found: list[_Expected] = []
    outcome, version = None, 0
    for event in events:
        if event.kind in (Kind.DECIDED.value, Kind.RESCORED.value):
            outcome, version = event.data["outcome"], event.data["scoring"]
        elif event.kind == Kind.REVIEWED.value:
            outcome = event.data["outcome"]
        elif event.kind == Kind.REVOKED.value:
            _revoke(found, event.at, event.why)
        elif event.kind == Kind.PUBLISHED.value and outcome == VALIDATED:
            for one in found:
                one.replaced = one.replaced or one.stands
            found.append(_Expected(version, event.at))
        elif event.kind == Kind.PUBLISHED.value:
            _revoke(found, event.at, SCORED_AGAIN)
    return found


def _revoke(found: Sequence[_Expected], at: datetime, why: str | None) -> None:
    for one in found:
        if one.stands:
            one.revoked_at, one.revoked_why = at, why
