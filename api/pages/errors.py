"""Errors as friendly pages: whatever fails on a page is told in the visitor's words, with the status of the API."""

import json
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import FastAPI, Request
from starlette.responses import Response

from api.context import context_of
from api.headers import security_headers
from api.pages.page import page, words_for

Handler = Callable[[Request, Exception], Awaitable[Response]]

ADDRESSES: Final = ("/", "/start", "/code", "/leave", "/run", "/run/pause", "/profile")
FOLDERS: Final = ("session", "team", "certificate", "check", "c", "campaign")
"""Beginnings of the addresses of certification and campaigns."""
_PROGRAMS: Final = ("/v1", "/oauth", "/openapi.json")
"""Beginnings of the addresses that programs use."""
_KEPT: Final = ("retry-after", "allow", "connection")


def install_error_pages(app: FastAPI) -> None:
    """Let every error handler of ``app`` answer with a page where a person reads."""
    for error, handler in list(app.exception_handlers.items()):
        app.add_exception_handler(error, _for_people(handler))  # type: ignore[arg-type]


def read_by_a_person(request: Request) -> bool:
    """Tell whether a request is for a page: one of its addresses, or a browser that asks for one."""
    path = request.scope["path"]
    asked = "text/html" in request.headers.get("accept", "") and not path.startswith(_PROGRAMS)
    return path in ADDRESSES or path.split("/")[1] in FOLDERS or asked


def error_page(request: Request, slug: str, status: int, headers: dict[str, str]) -> Response:
    """Render what went wrong; a kind of problem that has no words of its own gets those for any."""
    name = f"problem.{slug}" if f"problem.{slug}.title" in words_for(request) else "problem.other"
    return page(request, "error.html", status, headers, name=name, slug=slug)


def _for_people(handler: Handler) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        told = await handler(request, error)
        if not read_by_a_person(request):
            return told
        slug = json.loads(bytes(told.body))["type"].rpartition(":")[2]
        https = context_of(request).settings.https
        headers = security_headers(request.scope["path"], https) if told.status_code == 500 else {}
        headers |= {name: value for name, value in told.headers.items() if name in _KEPT}
        return error_page(request, slug, told.status_code, headers)

    return handle
