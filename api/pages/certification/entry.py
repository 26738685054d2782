"""The door of a session: its code, and who one is; and leaving."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.addresses import address_of
from api.certification.sitting.service import enter
from api.context import context_of
from api.pages.cookie import SITTING
from api.pages.origin import from_our_pages
from api.pages.page import go, page
from api.problems import NOT_NOW, TIME_IS_UP, TOO_MANY_REQUESTS, UNKNOWN_CANDIDATE, Problem

router = APIRouter(include_in_schema=False)

FIELDS: Final = ("code", "first_name", "last_name", "day", "month", "year")
_LONGEST: Final = 255
_REFUSED: Final = {
    UNKNOWN_CANDIDATE: "session.nobody",
    NOT_NOW: "session.not_open",
    TIME_IS_UP: "session.not_open",
    TOO_MANY_REQUESTS: "session.too_many",
}
"""Words for what keeps somebody out."""


@router.post("/session/enter", dependencies=[Depends(from_our_pages)])
async def come_in(request: Request) -> Response:
    """Let a candidate in who says the code of the session and who they are."""
    async with request.form(max_files=0, max_fields=16) as form:
        typed = {name: str(form.get(name, ""))[:_LONGEST].strip() for name in FIELDS}
    born = birth_date(typed)
    faults = [name for name in FIELDS[:3] if not typed[name]] + ([] if born else ["birth_date"])
    if born is None or faults:
        return door(request, typed, faults, 422)
    try:
        named = (typed["code"], typed["first_name"], typed["last_name"], born)
        entered = await enter(context_of(request), *named, address_of(request))
    except Problem as problem:
        if problem.kind not in _REFUSED:
            raise
        return door(request, typed, (), problem.status_code, _REFUSED[problem.kind], problem.headers)
    response = go("/session")
    SITTING.bind(request, response, entered.token)
    return response


@router.post("/session/leave", dependencies=[Depends(from_our_pages)])
async def go_away(request: Request) -> Response:
    """Forget the candidate in this browser; nothing of the test changes."""
    response = go("/?left=1")
    SITTING.release(request, response)
    return response


def door(
    request: Request,
    typed: Mapping[str, str],
    faults: Sequence[str] = (),
    status: int = 200,
    told: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Show the form by which a candidate comes in, with what stands in its fields."""
    values = {name: typed.get(name, "")[:_LONGEST] for name in FIELDS}
    return page(request, "certification/enter.html", status, headers, typed=values, faults=faults, told=told)


def birth_date(typed: Mapping[str, str]) -> str | None:
    """Date that three fields make, None when there is no such day.

    >>> birth_date({"day": "27", "month": "3", "year": "2008"}), birth_date({"day": "31", "month": "2", "year": "9"})
    ('2008-03-27', None)
    """
    parts = [typed[name] for name in ("year", "month", "day")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        return None
    try:
        return date(*map(int, parts)).isoformat() if len(parts[0]) == 4 else None
    except ValueError:
        return None
