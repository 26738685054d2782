"""The public check: anybody may see whether a certificate holds, and what its holder chose to show."""

from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.addresses import address_of
from api.certification.certificates.checking import check as checked
from api.context import context_of
from api.identifiers import written_access_code
from api.pages.certification.moments import local
from api.pages.page import go, page, words_for
from api.problems import TOO_MANY_REQUESTS, UNKNOWN_CERTIFICATE, Problem

router = APIRouter(include_in_schema=False)

ZONE: Final = "Europe/Paris"
_LONGEST: Final = 40
_FAULTS: Final = {UNKNOWN_CERTIFICATE: "check.unknown", TOO_MANY_REQUESTS: "check.too_many"}


@router.get("/check")
async def form(request: Request, code: str | None = None) -> Response:
    """Ask for a code; the form comes back here with one."""
    if code is None:
        return _form(request)
    if not code.strip():
        return _form(request, 422, fault="check.empty")
    return go(f"/check/{quote(code.strip()[:_LONGEST], safe='')}")


@router.get("/check/{code:path}")
async def show(request: Request, code: str) -> Response:
    """Say what a certificate is worth now."""
    context, words = context_of(request), words_for(request)
    try:
        view = await checked(context, code, address_of(request))
    except Problem as problem:
        if problem.kind not in _FAULTS:
            raise
        return _form(request, problem.status_code, problem.headers, code, _FAULTS[problem.kind])
    at = local(context.clock(), ZONE)
    return page(
        request,
        "certification/checked.html",
        view=view | {name: _day(words, view[name]) for name in ("issued_at", "expires_at", "revoked_at")},
        code=written_access_code("".join(sign for sign in code.upper() if sign.isalnum())),
        at={"date": words.day(at), "hour": words.hour(at)},
    )


def _form(
    request: Request, status: int = 200, headers: Any = None, typed: str = "", fault: str | None = None
) -> Response:
    return page(request, "certification/check.html", status, headers, typed=typed[:_LONGEST], fault=fault)


def _day(words: Any, moment: str | None) -> str | None:
    return None if moment is None else words.day(local(datetime.fromisoformat(moment), ZONE))
