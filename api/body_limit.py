"""Limits on the size of a request's body, as a pure ASGI middleware.

A route that takes files says so itself, by the dependency :func:`takes_a_file`; all others have the small limit.
"""

from collections.abc import Sequence

from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import BAD_REQUEST, BODY_TOO_LARGE, Problem


async def takes_a_file() -> None:
    """Mark a route, as one of its dependencies: its body may be as large as a file."""


class BodyLimit:
    """Middleware that refuses a body of more than ``limit`` bytes, announced or not.

    Where ``routes`` take files, the limit is ``import_limit``.
    """

    def __init__(self, app: ASGIApp, limit: int, import_limit: int, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._limit = limit
        self._import_limit = import_limit
        self._files = [route.path_regex for route in routes if isinstance(route, APIRoute) and _takes_a_file(route)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse at once a body announced as too large; count the bytes of any other."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope)
        problem = _refusal(scope, limit)
        if problem is not None:
            await (await _told(scope, problem))(scope, receive, send)
            return
        received = 0

        async def counted_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _too_large(limit)
            return message

        await self._app(scope, counted_receive, send)

    def _limit_of(self, scope: Scope) -> int:
        file = scope["method"] == "POST" and any(address.match(scope["path"]) for address in self._files)
        return self._import_limit if file else self._limit


def _takes_a_file(route: APIRoute) -> bool:
    return any(dependency.dependency is takes_a_file for dependency in route.dependencies)


async def _told(scope: Scope, problem: Problem) -> Response:
    """Answer as the handlers of the application do: with a page where a person reads."""
    application: Starlette = scope["app"]
    return await application.exception_handlers[Problem](Request(scope), problem)  # type: ignore[no-any-return]


def _refusal(scope: Scope, limit: int) -> Problem | None:
    announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if not announced.isdigit():
        return Problem(BAD_REQUEST, "The header Content-Length is not a number: give the length in bytes.")
    return _too_large(limit) if int(announced) > limit else None


def _too_large(limit: int) -> Problem:
    return Problem(
        BODY_TOO_LARGE, f"The body has more than {limit} bytes: send a shorter one.", headers={"Connection": "close"}
    )
