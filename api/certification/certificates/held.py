"""A certificate with everything that it says, and who may read it."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from api.certification.certificates.issue import Status, status_of
from api.certification.certificates.repository import certificate_of, certificates_of
from api.certification.decisions.repository import scoring_of
from api.certification.decisions.words import level_words, meaning_words, status_words, uncertainty_words
from api.certification.records import Candidate, Certificate, Scoring, Session
from api.certification.repository import candidate_of, candidate_of_run, session_of
from api.clock import iso
from api.context import Context
from api.identifiers import (
    LEARNER_TOKEN_PREFIX,
    MEMBER_TOKEN_PREFIX,
    certificate_code,
    fingerprint,
    parsed_id,
    written_access_code,
)
from api.learners.repository import learner_of_client
from api.oauth.access import learner_of, platform_of
from api.oauth.tokens import Platform, RunLearner
from api.organisations.callers import unauthenticated
from api.organisations.records import ADMIN, Member, Organisation
from api.organisations.repository import member_of_token, organisation_of
from api.problems import NOT_ALLOWED, UNKNOWN_CERTIFICATE, Problem
from api.runs.pinned import Pins
from engine.certification import CertificationDesign
from itembank.framework import Framework, title

Reader = Platform | Member | RunLearner
"""Who may read certificates: platforms, administrators of organisations, holders."""


@dataclass(frozen=True, eq=False)
class Held:
    """A certificate, and what it attests."""

    certificate: Certificate
    candidate: Candidate
    session: Session
    organisation: Organisation
    scoring: Scoring
    rules: CertificationDesign
    framework: Framework
    code: str
    address: str
    """Of the public check."""

    @property
    def name(self) -> str:
        """Name of the holder."""
        return f"{self.candidate.first_name} {self.candidate.last_name}"

    @property
    def levels(self) -> list[dict[str, Any]]:
        """Levels, as told: one entry for each competence that the test was about."""
        return levels_of(self.framework, self.scoring)


def levels_of(framework: Framework, scoring: Scoring) -> list[dict[str, Any]]:
    """Tell what a scoring certifies of each competence that the test was about."""
    return [
        {
            "competence": told["competence"],
            "title": dict(framework.competence(told["competence"]).title),
            "level": told["level"],
            "status": told["status"],
            "probability": told["probability"] if told["level"] > 0 else None,
            "words": level_words(framework, told["level"]) if told["level"] > 0 else status_words(told["status"]),
            "meaning": meaning_words(framework, told["level"]),
        }
        for told in scoring.result["competences"]
        if told["status"] != "not_examined"
    ]


def held(connection: Connection, context: Context, certificate: Certificate) -> Held:
    """Read what a certificate attests."""
    candidate = candidate_of(connection, certificate.candidate_id)
    assert candidate is not None
    session = session_of(connection, candidate.session_id)
    assert session is not None
    organisation = organisation_of(connection, session.organisation_id)
    scoring = scoring_of(connection, candidate.id, certificate.scoring_version)
    assert organisation is not None
    assert scoring is not None
    code = certificate_code(context.keys.code, certificate.id)
    return Held(
        certificate,
        candidate,
        session,
        organisation,
        scoring,
        context.pins.rules(connection, scoring.rules_hash),
        _framework(connection, context.pins, scoring),
        code,
        check_address(context.settings.public_url, code),
    )


def check_address(public_url: str, code: str) -> str:
    """Address where anybody may check a certificate."""
    return f"{public_url}/check/{code}"


async def reader_of(context: Context, token: str, scope: str) -> Reader:
    """Return who shows a token; raise 401, or 403 for an invigilator or a platform without the scope."""
    found: Reader | None
    if token.startswith(MEMBER_TOKEN_PREFIX):
        found = await context.read(partial(member_of_token, token_hash=fingerprint(token)))
    elif token.startswith(LEARNER_TOKEN_PREFIX):
        found = await learner_of(context, token)
    else:
        found = platform_of(context, token)
    if found is None:
        raise unauthenticated()
    if isinstance(found, Member) and found.role != ADMIN:
        raise Problem(NOT_ALLOWED, "Certificates are read by the administrators of the organisation: ask one of them.")
    if isinstance(found, Platform) and scope not in found.scopes:
        raise Problem(NOT_ALLOWED, f"The token lacks the scope {scope}: ask for a token with it.")
    return found


def required_certificate(connection: Connection, context: Context, caller: Reader, certificate_id: str) -> Held:
    """Return a certificate that the caller may read; raise a 404 problem when there is none."""
    known = parsed_id(certificate_id)
    found = None if known is None else certificate_of(connection, known)
    if found is None:
        raise unknown_certificate()
    read = held(connection, context, found)
    if not _may_read(connection, caller, read):
        raise unknown_certificate()
    return read


def own_certificate(connection: Connection, context: Context, holder: RunLearner) -> Held:
    """Return the latest certificate of the run whose token was shown; raise a 404 problem when there is none."""
    candidate = candidate_of_run(connection, holder.run_id)
    found = [] if candidate is None else certificates_of(connection, candidate.id)
    if not found:
        raise unknown_certificate()
    return held(connection, context, found[-1])


def unknown_certificate() -> Problem:
    """Build the problem for a certificate that does not exist, or that the caller may not know of."""
    return Problem(
        UNKNOWN_CERTIFICATE, "There is no certificate here: check what you typed, or wait until results are published."
    )


def certificate_view(read: Held, at: datetime) -> dict[str, Any]:
    """Show a certificate to those who may read all of it."""
    certificate, replaced = read.certificate, read.certificate.replaced_by
    return {
        "id": certificate.id,
        "candidate_id": read.candidate.id,
        "status": status_of(certificate, at).value,
        "holder": {
            "first_name": read.candidate.first_name,
            "last_name": read.candidate.last_name,
            "birth_date": read.candidate.birth_date,
        },
        "framework": {"code": read.framework.code, "title": dict(read.framework.title)},
        "organisation": read.organisation.name,
        "date": read.session.date,
        "scoring": certificate.scoring_version,
        "levels": read.levels,
        "uncertainty": uncertainty_words(read.rules.probability),
        "issued_at": iso(certificate.issued_at),
        "expires_at": iso(certificate.expires_at),
        "revoked_at": None if certificate.revoked_at is None else iso(certificate.revoked_at),
        "revoked_why": certificate.revoked_why,
        "replaced_by": replaced,
        "code": written_access_code(read.code),
        "check": read.address,
        "shows_name": certificate.shows_name,
        "shows_levels": certificate.shows_levels,
    }


def check_view(read: Held, at: datetime) -> dict[str, Any]:
    """Show a certificate to anybody: its status and dates, and what its holder chose to show."""
    certificate = read.certificate
    status = status_of(certificate, at)
    return {
        "status": status.value,
        "framework": {locale: title(read.framework.title, locale) for locale in ("fr", "en")},
        "issued_at": iso(certificate.issued_at),
        "expires_at": iso(certificate.expires_at),
        "revoked_at": iso(certificate.revoked_at) if status is Status.REVOKED and certificate.revoked_at else None,
        "holder": read.name if certificate.shows_name else None,
        "levels": read.levels if certificate.shows_levels else None,
    }


def _framework(connection: Connection, pins: Pins, scoring: Scoring) -> Framework:
    return pins.pinned_bank(connection, scoring.snapshot_hash).snapshot.framework


def _may_read(connection: Connection, caller: Reader, read: Held) -> bool:
    if isinstance(caller, Member):
        return caller.role == ADMIN and caller.organisation_id == read.organisation.id
    if isinstance(caller, RunLearner):
        return caller.run_id == read.candidate.run_id
    if caller.client_id == read.organisation.client_id:
        return True
    return learner_of_client(connection, caller.client_id, read.candidate.learner_id) is not None
