"""Security headers on every response, as a pure ASGI middleware."""

from starlette.datastructures import MutableHeaders
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
    "default-src 'self'; img-src 'self' data: https://fastapi.tiangolo.com; "
    "script-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net; "
    "style-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net; frame-ancestors 'none'"
)
_DATA = ("/v1/", "/oauth/", "/openapi.json")
_DOCUMENTATION = "/docs"


def security_headers(path: str, https: bool = False) -> dict[str, str]:
    """Headers for a response at ``path``.

    >>> security_headers("/v1/health")["Cache-Control"]
    'no-store'
    """
    headers = dict(_EVERYWHERE)
    if path.startswith(_DATA):
        headers |= {"Content-Security-Policy": _DATA_POLICY, "Cache-Control": "no-store"}
    elif path == _DOCUMENTATION:
        headers["Content-Security-Policy"] = _DOCUMENTATION_POLICY
    else:
        headers["Content-Security-Policy"] = _PAGE_POLICY
    if https:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return headers


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
                headers = MutableHeaders(scope=message)
                for name, value in security_headers(scope["path"], self._https).items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
