"""Who calls: the dependencies by which an endpoint asks for a token, and what the token lets through."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Request, Security
from fastapi.openapi.models import OAuthFlowClientCredentials, OAuthFlows
from fastapi.security import HTTPBearer, OAuth2

from api.context import Context, context_of
from api.identifiers import LEARNER_TOKEN_PREFIX, fingerprint
from api.oauth.scopes import SCOPES
from api.oauth.tokens import Caller, Platform, RunLearner, verified
from api.problems import NOT_ALLOWED, UNAUTHENTICATED, Problem
from api.runs.repository import run_of_token

_PLATFORM = OAuth2(
    flows=OAuthFlows(clientCredentials=OAuthFlowClientCredentials(tokenUrl="/oauth/token", scopes=SCOPES)),
    scheme_name="platform",
    description="Access token of a platform, from /oauth/token.",
    auto_error=False,
)
_LEARNER = HTTPBearer(
    scheme_name="learner",
    description="The learner's token that opening a run gives; for that run only.",
    auto_error=False,
)


def platform(scope: str) -> Callable[..., Awaitable[Platform]]:
    """Make the dependency of an endpoint for platforms whose token has ``scope``."""

    async def check(request: Request, _: Annotated[str | None, Security(_PLATFORM, scopes=[scope])]) -> Platform:
        found = await _caller(request)
        if not isinstance(found, Platform):
            raise _forbidden(scope, "A learner's token opens its own run only: use a platform's token.")
        return _with_scope(found, scope)

    return check


def platform_or_learner(scope: str) -> Callable[..., Awaitable[Caller]]:
    """Make the dependency of an endpoint of a run: for platforms with ``scope``, and for the learner of the run."""

    async def check(
        request: Request,
        _: Annotated[str | None, Security(_PLATFORM, scopes=[scope])],
        __: Annotated[object, Security(_LEARNER)],
    ) -> Caller:
        return await caller_of(request, scope)

    return check


async def caller_of(request: Request, scope: str) -> Caller:
    """Return who calls an endpoint of a run: a platform with ``scope``, or a learner; else raise 401 or 403."""
    found = await _caller(request)
    return _with_scope(found, scope) if isinstance(found, Platform) else found


async def learner_of(context: Context, token: str) -> RunLearner | None:
    """Return the learner whose run has this token, or None when it is unknown or expired."""
    if not token.startswith(LEARNER_TOKEN_PREFIX):
        return None
    token_hash = fingerprint(token)
    found = context.run_learners.get(token_hash)
    if found is None:
        row = await context.read(lambda connection: run_of_token(connection, token_hash))
        if row is None:
            return None
        run_id, created_at, certifies = row
        found = RunLearner(run_id, created_at + context.settings.access_to_run(certifies))
        context.run_learners.put(token_hash, found)
    return found if context.clock() < found.expires_at else None


def platform_of(context: Context, token: str) -> Platform | None:
    """Return the platform that this access token was signed for, or None."""
    found = context.platforms.get(token)
    if found is None:
        found = verified(context.keys.access, token)
        if found is None:
            return None
        context.platforms.put(token, found)
    return found if context.clock() < found.expires_at else None


async def _caller(request: Request) -> Caller:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem(
            UNAUTHENTICATED,
            "Send an access token in the header Authorization: Bearer TOKEN; POST /oauth/token gives one.",
            headers={"WWW-Authenticate": 'Bearer realm="jalon"'},
        )
    context, token = context_of(request), token.strip()
    found = platform_of(context, token) or await learner_of(context, token)
    if found is None:
        raise Problem(
            UNAUTHENTICATED,
            "The token is unknown or expired: ask for a new one at POST /oauth/token.",
            headers={"WWW-Authenticate": 'Bearer realm="jalon", error="invalid_token"'},
        )
    return found


def _with_scope(found: Platform, scope: str) -> Platform:
    if scope not in found.scopes:
        raise _forbidden(scope, f"The token lacks the scope {scope}: ask for a token with it.")
    return found


def _forbidden(scope: str, detail: str) -> Problem:
    challenge = f'Bearer realm="jalon", error="insufficient_scope", scope="{scope}"'
    return Problem(NOT_ALLOWED, detail, headers={"WWW-Authenticate": challenge})
