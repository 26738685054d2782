"""Whose run a browser shows: a cookie that no script reads, dropped when the browser closes.

It holds the learner's token of one run. Shared computers are common in schools, so it does not outlive the browser's
session, and every page offers to leave.
"""

from starlette.requests import Request
from starlette.responses import Response

from api.context import context_of
from api.oauth.access import learner_of
from api.pages.problems import NO_RUN
from api.problems import Problem
from api.runs.live import Live
from api.runs.lookup import current_run


def cookie_name(https: bool) -> str:
    """Name of the cookie; with HTTPS, a prefix binds it to this very host.

    >>> cookie_name(True)
    '__Host-jalon-run'
    """
    return "__Host-jalon-run" if https else "jalon-run"


def bind(request: Request, response: Response, token: str) -> None:
    """Let the browser show the run of a learner's token."""
    https = context_of(request).settings.https
    response.set_cookie(cookie_name(https), token, path="/", secure=https, httponly=True, samesite="lax")


def release(request: Request, response: Response) -> None:
    """Make the browser forget its run."""
    https = context_of(request).settings.https
    response.delete_cookie(cookie_name(https), path="/", secure=https, httponly=True, samesite="lax")


async def shown_run(request: Request) -> Live | None:
    """Return where the positioning run of this browser stands, or None without one."""
    context = context_of(request)
    token = request.cookies.get(cookie_name(context.settings.https))
    learner = None if token is None else await learner_of(context, token)
    if learner is None:
        return None
    live = await current_run(context, learner.run_id)
    return live if live.run.rules_hash is None else None


async def own_run(request: Request) -> Live:
    """Return where the run of this browser stands; raise a 403 problem without one."""
    live = await shown_run(request)
    if live is None:
        raise Problem(NO_RUN, "No run is open in this browser: enter its access code on the home page.")
    return live
