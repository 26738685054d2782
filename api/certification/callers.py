"""Who calls an endpoint of certification, and what they may know of.

A platform owns its centres; an administrator works for one; an invigilator sees the sessions assigned to them; a
candidate sees their own sitting. Whatever one may not know of looks as if it did not exist.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import HTTPBearer
from sqlalchemy import Connection

from api.certification.happening import unknown_candidate
from api.certification.records import ADMIN, Candidate, Centre, Member, Session
from api.certification.repository import (
    candidate_of,
    candidate_of_token,
    centre_of,
    invigilators_of,
    member_of_token,
    session_of,
)
from api.context import Context, context_of
from api.identifiers import CANDIDATE_TOKEN_PREFIX, MEMBER_TOKEN_PREFIX, fingerprint, parsed_id
from api.oauth.access import platform_of
from api.oauth.tokens import Platform
from api.problems import NOT_ALLOWED, UNAUTHENTICATED, UNKNOWN_CENTRE, UNKNOWN_SESSION, Problem

_STAFF = HTTPBearer(
    scheme_name="staff",
    description="Token of a member of a centre, or a platform's access token.",
    auto_error=False,
)
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


Staff = Platform | Member


def staff(scope: str, admin: bool = False) -> Callable[..., Awaitable[Staff]]:
    """Make the dependency of an endpoint for platforms with ``scope`` and for members, administrators only if said."""

    async def check(request: Request, _: Annotated[object, Security(_STAFF)]) -> Staff:
        return await staff_of(context_of(request), bearer(request), scope, admin)

    return check


async def staff_of(context: Context, token: str, scope: str, admin: bool = False) -> Staff:
    """Return the platform or the member whose token this is; raise 401 or 403."""
    found: Staff | None
    if token.startswith(MEMBER_TOKEN_PREFIX):
        hashed = fingerprint(token)
        found = await context.read(lambda connection: member_of_token(connection, hashed))
    else:
        found = platform_of(context, token)
    if found is None:
        raise unauthenticated()
    if isinstance(found, Platform) and scope not in found.scopes:
        raise Problem(NOT_ALLOWED, f"The token lacks the scope {scope}: ask for a token with it.")
    if isinstance(found, Member) and admin and found.role != ADMIN:
        raise Problem(NOT_ALLOWED, "This is for the administrators of the centre: ask one of them.")
    return found


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


def who(caller: Staff) -> str:
    """Name a caller for the facts."""
    return f"platform:{caller.client_id}" if isinstance(caller, Platform) else f"member:{caller.id}"


def required_centre(connection: Connection, caller: Staff, centre_id: str) -> Centre:
    """Return a centre that the caller owns or works for; raise a 404 problem when there is none."""
    known = parsed_id(centre_id)
    found = None if known is None else centre_of(connection, known)
    if found is None or not _of_centre(caller, found):
        raise Problem(UNKNOWN_CENTRE, "There is no centre of this id here: check the id, or POST /v1/centres.")
    return found


def required_session(connection: Connection, caller: Staff, session_id: str, lock: bool = False) -> Session:
    """Return a session that the caller may know of; raise a 404 problem when there is none."""
    known = parsed_id(session_id)
    found = None if known is None else session_of(connection, known, lock)
    centre = None if found is None else centre_of(connection, found.centre_id)
    if found is None or centre is None or not _of_centre(caller, centre):
        raise unknown_session()
    if isinstance(caller, Member) and caller.role != ADMIN and caller.id not in invigilators_of(connection, found.id):
        raise unknown_session()
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


def bearer(request: Request) -> str:
    """Return the token that a request shows; raise a 401 problem without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthenticated()
    return token.strip()


def unauthenticated() -> Problem:
    """Build the problem for a request without a token that is known here."""
    return Problem(
        UNAUTHENTICATED,
        "Send a token that is valid here in the header Authorization: Bearer TOKEN.",
        headers={"WWW-Authenticate": 'Bearer realm="jalon"'},
    )


def _of_centre(caller: Staff, centre: Centre) -> bool:
    if isinstance(caller, Platform):
        return caller.client_id == centre.client_id
    return caller.centre_id == centre.id
