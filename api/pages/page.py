"""Rendering: a template, the words of the visitor's language, and the headers of a page."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.context import context_of
from api.pages.language import COOKIE, language_of
from api.pages.words import LANGUAGES, Words, typeset, words_of
from itembank.framework import title

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Vary": "Accept-Language, Cookie",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}
LIVE: Final = {"Content-Security-Policy": f"{HEADERS['Content-Security-Policy']}; connect-src 'self'"}
"""Headers of a page that asks for itself again, to show what changed without losing one's place."""
_YEAR: Final = 31_536_000
_GET_INSTEAD: Final = {"/code": "/", "/leave": "/", "/session/enter": "/session", "/session/answer": "/session"}
"""Pages to look at for addresses that only take forms."""

templates = Environment(
    loader=PackageLoader("api.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
templates.filters["typeset"] = typeset


@cache
def static_address(name: str) -> str:
    """Address of a static file, which changes with its content so that browsers may keep it."""
    content = (files("api.pages") / "static" / name).read_bytes()
    return f"/static/{name}?v={sha256(content).hexdigest()[:12]}"


def words_for(request: Request) -> Words:
    """Return the words of the visitor's language."""
    return words_of(language_of(request))


def page(
    request: Request,
    template: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    live: bool = False,
    **values: Any,
) -> Response:
    """Render a template of ``templates/`` for a request, with the values that it needs; see ``LIVE``."""
    words = words_for(request)
    path = "/" + quote(request.scope["path"].lstrip("/"), errors="replace")  # //host is the address of another server
    text = templates.get_template(template).render(
        t=words,
        lang=words.language,
        here=path if request.method in ("GET", "HEAD") else _GET_INSTEAD.get(path, path),
        static=static_address,
        title_of=lambda titles: title(titles, words.language),
        **values,
    )
    response = HTMLResponse(text, status, {**(headers or {}), **HEADERS, **(LIVE if live else {})})
    chosen = request.query_params.get("lang")
    if chosen in LANGUAGES:
        https = context_of(request).settings.https
        response.set_cookie(COOKIE, chosen, _YEAR, path="/", secure=https, httponly=True, samesite="lax")
    return response


def go(address: str) -> Response:
    """Send the browser to a page, after a form or instead of another page."""
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})
