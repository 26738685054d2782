"""Who calls an endpoint of certification, and what they may know of.

A platform owns its organisations; an administrator works for one; an invigilator sees the sessions assigned to them; a
candidate sees their own sitting. Whatever one may not know of looks as if it did not exist.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import HTTPBearer
from sqlalchemy import Connection

from api.certification.happening import unknown_candidate
from api.certification.records import Candidate, Session
from api.certification.repository import candidate_of, candidate_of_token, invigilators_of, session_of
from api.context import Context, context_of
from api.identifiers import CANDIDATE_TOKEN_PREFIX, fingerprint, parsed_id
from api.organisations.callers import Staff, bearer, is_of, unauthenticated
from api.organisations.records import ADMIN, Member, Organisation
from api.organisations.repository import organisation_of
from api.problems import UNKNOWN_SESSION, Problem

_CANDIDATE = HTTPBearer(
    scheme_name="candidate",
    description="Token of the device on which a candidate sits, from POST /v1/session-entries.",
    auto_error=False,
)


@dataclass(frozen=True)
class Sitter:
    """A candidate's device: the one in use, or one that waits to be authorised."""

    candidate: Candidate
    token_hash: str

    @property
    def waits(self) -> bool:
        """Whether the device is not, or not yet, the one in use."""
        return self.candidate.device_hash != self.token_hash


async def sitter(request: Request, _: Annotated[object, Security(_CANDIDATE)]) -> Sitter:
    """Dependency of an endpoint for candidates: the device that calls."""
    return await sitter_of(context_of(request), bearer(request))


async def sitter_of(context: Context, token: str) -> Sitter:
    """Return the candidate's device that has this token; raise 401."""
    hashed = fingerprint(token)
    found = None
    if token.startswith(CANDIDATE_TOKEN_PREFIX):
        found = await context.read(lambda connection: candidate_of_token(connection, hashed))
    if found is None:
        raise unauthenticated()
    return Sitter(found, hashed)


def required_session(connection: Connection, caller: Staff, session_id: str, lock: bool = False) -> Session:
    """Return a session that the caller may know of; raise a 404 problem when there is none."""
    known = parsed_id(session_id)
    found = None if known is None else session_of(connection, known, lock)
    organisation = None if found is None else organisation_of(connection, found.organisation_id)
    if found is None or organisation is None or not is_of(caller, organisation):
        raise unknown_session()
    if isinstance(caller, Member) and caller.role != ADMIN and caller.id not in invigilators_of(connection, found.id):
        raise unknown_session()
    return found


def organisation_of_session(connection: Connection, caller: Staff, session_id: str) -> Organisation:
    """Return the organisation of a session that the caller may know of; raise a 404 problem when there is none."""
    found = organisation_of(connection, required_session(connection, caller, session_id).organisation_id)
    assert found is not None
    return found


def required_candidate(connection: Connection, session: Session, candidate_id: str) -> Candidate:
    """Return a candidate of a session; raise a 404 problem when there is none."""
    known = parsed_id(candidate_id)
    found = None if known is None else candidate_of(connection, known)
    if found is None or found.session_id != session.id:
        raise unknown_candidate()
    return found


def unknown_session() -> Problem:
    """Build the problem for a session that does not exist, or that the caller may not know of."""
    return Problem(UNKNOWN_SESSION, "There is no session of this id here: check the id.")
