"""Who is in front of a page of certification: a member of an organisation, or a candidate's device."""

from starlette.requests import Request

from api.certification.callers import Sitter, sitter_of
from api.context import context_of
from api.identifiers import MEMBER_TOKEN_PREFIX
from api.oauth.scopes import CERTIFICATION_READ
from api.oauth.tokens import RunLearner
from api.organisations.callers import staff_of
from api.organisations.records import ADMIN, INVIGILATOR, Member
from api.pages.cookie import SITTING, STAFF, own_certified_run
from api.pages.problems import NO_SITTING, SIGNED_OUT
from api.problems import NOT_ALLOWED, UNAUTHENTICATED, Problem


async def member_of_token(request: Request, token: str) -> Member | None:
    """Return the member whose token this is, or None."""
    if not token.startswith(MEMBER_TOKEN_PREFIX):
        return None
    try:
        found = await staff_of(context_of(request), token, CERTIFICATION_READ)
    except Problem as problem:
        if problem.kind is not UNAUTHENTICATED:
            raise
        return None
    assert isinstance(found, Member)
    return found


async def shown_member(request: Request) -> Member | None:
    """Return the member who signed in with this browser, or None."""
    token = STAFF.token(request)
    return None if token is None else await member_of_token(request, token)


async def own_member(request: Request) -> Member:
    """Return the member who signed in with this browser: a dependency; raise a 403 problem without one."""
    found = await shown_member(request)
    if found is None:
        raise Problem(SIGNED_OUT, "Nobody is signed in with this browser: sign in with a member's token.")
    return found


async def own_admin(request: Request) -> Member:
    """Return the administrator who signed in with this browser: a dependency; raise a 403 problem without one."""
    found = await own_member(request)
    if found.role != ADMIN:
        raise Problem(NOT_ALLOWED, "This is for the administrators of the organisation: ask one of them.")
    return found


async def own_teacher(request: Request) -> Member:
    """Return the administrator or member who signed in with this browser: a dependency; raise a 403 problem else."""
    found = await own_member(request)
    if found.role == INVIGILATOR:
        raise Problem(NOT_ALLOWED, "This is for the administrators and members of the organisation: ask one of them.")
    return found


async def own_holder(request: Request) -> RunLearner:
    """Return the holder whose certified run this browser shows: a dependency; raise a 403 problem without one."""
    live = await own_certified_run(request)
    return RunLearner(live.run.id, live.run.created_at + context_of(request).settings.access_to_run(certifies=True))


async def shown_sitter(request: Request) -> Sitter | None:
    """Return the candidate's device that this browser is, or None."""
    token = SITTING.token(request)
    if token is None:
        return None
    try:
        return await sitter_of(context_of(request), token)
    except Problem as problem:
        if problem.kind is not UNAUTHENTICATED:
            raise
        return None


async def own_sitter(request: Request) -> Sitter:
    """Return the candidate's device that this browser is: a dependency; raise a 403 problem without one."""
    found = await shown_sitter(request)
    if found is None:
        raise Problem(NO_SITTING, "No test is open in this browser: enter the code of the session.")
    return found
