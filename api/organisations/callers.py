"""Who calls an endpoint about an organisation, and what they may know of.

A platform owns its organisations; an administrator acts for one, a member makes campaigns there, an invigilator sees
the sessions assigned to them. Whatever one may not know of looks as if it did not exist.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from sqlalchemy import Connection

from api.context import Context, context_of
from api.identifiers import MEMBER_TOKEN_PREFIX, fingerprint, parsed_id
from api.oauth.access import platform_of
from api.oauth.tokens import Platform
from api.organisations.records import ADMIN, INVIGILATOR, Member, Organisation
from api.organisations.repository import member_of_token, organisation_of
from api.problems import NOT_ALLOWED, UNAUTHENTICATED, UNKNOWN_ORGANISATION, Problem

_STAFF = HTTPBearer(
    scheme_name="staff",
    description="Token of a member of an organisation, or a platform's access token.",
    auto_error=False,
)
Staff = Platform | Member


def staff(scope: str, admin: bool = False) -> Callable[..., Awaitable[Staff]]:
    """Make the dependency of an endpoint for platforms with ``scope`` and for members, administrators only if said."""

    async def check(request: Request, _: Annotated[object, Security(_STAFF)]) -> Staff:
        return await staff_of(context_of(request), bearer(request), scope, admin)

    return check


def teaching(scope: str) -> Callable[..., Awaitable[Staff]]:
    """Make the dependency of an endpoint for platforms with ``scope``, administrators and members."""
    check = staff(scope)

    async def of_team(caller: Annotated[Staff, Depends(check)]) -> Staff:
        if isinstance(caller, Member) and caller.role == INVIGILATOR:
            raise Problem(NOT_ALLOWED, "This is for the administrators and members of the organisation: ask one.")
        return caller

    return of_team


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
        raise Problem(NOT_ALLOWED, "This is for the administrators of the organisation: ask one of them.")
    return found


def who(caller: Staff) -> str:
    """Name a caller for the facts."""
    return f"platform:{caller.client_id}" if isinstance(caller, Platform) else f"member:{caller.id}"


def required_organisation(connection: Connection, caller: Staff, organisation_id: str) -> Organisation:
    """Return an organisation that the caller owns or works for; raise a 404 problem when there is none."""
    known = parsed_id(organisation_id)
    found = None if known is None else organisation_of(connection, known)
    if found is None or not is_of(caller, found):
        raise Problem(
            UNKNOWN_ORGANISATION, "There is no organisation of this id here: check the id, or POST /v1/organisations."
        )
    return found


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


def is_of(caller: Staff, organisation: Organisation) -> bool:
    """Tell whether the caller owns an organisation or works for it."""
    if isinstance(caller, Platform):
        return caller.client_id == organisation.client_id
    return caller.organisation_id == organisation.id
