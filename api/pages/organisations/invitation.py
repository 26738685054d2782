"""The door of an invitation: its code, and the name of who comes."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.addresses import address_of
from api.context import context_of
from api.organisations.invitations import answer, find_invitation
from api.pages.drawn import FIELD, drawn_key
from api.pages.origin import from_our_pages
from api.pages.page import page
from api.problems import UNKNOWN_INVITATION, Problem

router = APIRouter(include_in_schema=False)

_LONGEST = 255


@router.get("/team/invitation")
async def door(request: Request, code: str = "") -> Response:
    """Ask for the code of an invitation, which a link may carry, and for a name."""
    name = ""
    if code:
        try:
            name = (await find_invitation(context_of(request), code[:40], address_of(request))).name
        except Problem as problem:
            if problem.kind is not UNKNOWN_INVITATION:
                raise
            return _door(request, code[:40], "", 404, fault=True)
    return _door(request, code[:40], name)


@router.post("/team/invitation", dependencies=[Depends(from_our_pages)])
async def come(request: Request) -> Response:
    """Make somebody a member who has the code; their token is shown this once."""
    async with request.form(max_files=0, max_fields=8) as form:
        code, name = (str(form.get(field, ""))[:_LONGEST].strip() for field in ("code", "name"))
        key = str(form.get(FIELD, ""))[:64] or None
    if not name.isprintable() or not name:
        return _door(request, code, name, 422, lacks_name=True)
    try:
        member, token = await answer(context_of(request), code, name, address_of(request), key)
    except Problem as problem:
        if problem.kind is not UNKNOWN_INVITATION:
            raise
        return _door(request, code, name, 404, fault=True)
    return page(request, "organisations/welcome.html", made=member, token=token)


def _door(
    request: Request, code: str, name: str, status: int = 200, *, fault: bool = False, lacks_name: bool = False
) -> Response:
    return page(
        request,
        "organisations/invitation.html",
        status,
        code=code,
        name=name,
        key=drawn_key(),
        fault=fault,
        lacks_name=lacks_name,
    )
