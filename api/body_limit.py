"""Limit on the size of a request's body, as a pure ASGI middleware."""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem_response
from api.problems import BAD_REQUEST, BODY_TOO_LARGE, Problem


class BodyLimit:
    """Middleware that refuses a body of more than ``limit`` bytes, announced or not."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse at once a body announced as too large; count the bytes of any other."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        problem = self._refusal(scope)
        if problem is not None:
            await problem_response(Request(scope), problem)(scope, receive, send)
            return
        received = 0

        async def counted_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise self._too_large()
            return message

        await self._app(scope, counted_receive, send)

    def _refusal(self, scope: Scope) -> Problem | None:
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not announced.isdigit():
            return Problem(BAD_REQUEST, "The header Content-Length is not a number: give the length in bytes.")
        return self._too_large() if int(announced) > self._limit else None

    def _too_large(self) -> Problem:
        return Problem(
            BODY_TOO_LARGE,
            f"The body has more than {self._limit} bytes: send a shorter one.",
            headers={"Connection": "close"},
        )
