"""Security headers on every response, as a pure ASGI middleware."""

from functools import cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_DOCUMENTATION_POLICY = (
    "default-src 'self'; img-src 'self' data:; script-src 'self' 'unsafe-inline'; "
    "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_BY_FAMILY = {
    "data": {"Content-Security-Policy": _DATA_POLICY, "Cache-Control": "no-store"},
    "documentation": {"Content-Security-Policy": _DOCUMENTATION_POLICY},
    "page": {"Content-Security-Policy": _PAGE_POLICY},
}
_EXAMPLES = {"data": "/v1/", "documentation": "/docs", "page": "/"}


def security_headers(path: str, https: bool = False) -> dict[str, str]:
    """Headers for a response at ``path``.

    >>> security_headers("/v1/health")["Cache-Control"]
    'no-store'
    """
    headers = _EVERYWHERE | _BY_FAMILY[_family(path)]
    if https:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return headers


def _family(path: str) -> str:
    if path.startswith(("/v1/", "/oauth/", "/openapi.json")):
        return "data"
    return "documentation" if path == "/docs" else "page"


@cache
def _raw_headers(family: str, https: bool) -> tuple[tuple[bytes, bytes], ...]:
    """Security headers of a family of paths, as ASGI wants them."""
    headers = security_headers(_EXAMPLES[family], https)
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())


class SecurityHeaders:
    """Middleware that adds the security headers a response does not set itself."""

    def __init__(self, app: ASGIApp, https: bool) -> None:
        self._app = app
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the head of its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                wanted = _raw_headers(_family(scope["path"]), self._https)
                message["headers"] = [*message["headers"], *(pair for pair in wanted if pair[0] not in own)]
            await send(message)

        await self._app(scope, receive, send_with_headers)
