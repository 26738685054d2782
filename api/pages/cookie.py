"""What a browser is let in for: cookies that no script reads, dropped when the browser closes.

Each holds one token: a learner's for one run or one participation, a member's for the work of an organisation, a
device's for the sitting of a candidate. Shared computers are common in schools, so none outlives the browser's session,
and every page offers to leave.
"""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from api.context import context_of
from api.oauth.access import learner_of
from api.pages.problems import NO_RUN
from api.problems import Problem
from api.runs.live import Live
from api.runs.lookup import current_run


@dataclass(frozen=True)
class TokenCookie:
    """A cookie that holds a token.

    >>> TokenCookie("run").name(https=True)
    '__Host-jalon-run'
    """

    of: str

    def name(self, https: bool) -> str:
        """Name of the cookie; with HTTPS, a prefix binds it to this very host."""
        return f"__Host-jalon-{self.of}" if https else f"jalon-{self.of}"

    def token(self, request: Request) -> str | None:
        """Return the token that a browser shows."""
        return request.cookies.get(self.name(context_of(request).settings.https))

    def bind(self, request: Request, response: Response, token: str) -> None:
        """Give the browser a token."""
        https = context_of(request).settings.https
        response.set_cookie(self.name(https), token, path="/", secure=https, httponly=True, samesite="lax")

    def release(self, request: Request, response: Response) -> None:
        """Make the browser forget its token."""
        https = context_of(request).settings.https
        response.delete_cookie(self.name(https), path="/", secure=https, httponly=True, samesite="lax")


RUN: Final = TokenCookie("run")
STAFF: Final = TokenCookie("staff")
SITTING: Final = TokenCookie("sitting")
PARTICIPATION: Final = TokenCookie("participation")


async def shown_run(request: Request) -> Live | None:
    """Return where the positioning run of this browser stands, or None without one."""
    live = await _run(request)
    return live if live is not None and live.run.rules_hash is None else None


async def own_run(request: Request) -> Live:
    """Return where the run of this browser stands; raise a 403 problem without one."""
    return _required(await shown_run(request))


async def certified_run(request: Request) -> Live | None:
    """Return the run that certifies of which this browser shows the holder, or None without one."""
    live = await _run(request)
    return live if live is not None and live.run.rules_hash is not None else None


async def own_certified_run(request: Request) -> Live:
    """Return the run that certifies of this browser's holder; raise a 403 problem without one."""
    return _required(await certified_run(request))


async def _run(request: Request) -> Live | None:
    context, token = context_of(request), RUN.token(request)
    learner = None if token is None else await learner_of(context, token)
    return None if learner is None else await current_run(context, learner.run_id)


def _required(live: Live | None) -> Live:
    if live is None:
        raise Problem(NO_RUN, "No run is open in this browser: enter its access code on the home page.")
    return live
