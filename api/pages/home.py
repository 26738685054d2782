"""The home page: begin on one's own, or with a code; and leaving."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.addresses import address_of
from api.campaigns.repository import campaign_of_code
from api.context import context_of
from api.identifiers import parsed_access_code
from api.pages.cookie import PARTICIPATION, RUN, certified_run, shown_run
from api.pages.origin import from_our_pages
from api.pages.page import go, page
from api.problems import TOO_MANY_REQUESTS, UNKNOWN_CODE, Problem
from api.runs.codes import enter_code
from api.runs.lookup import current_run

router = APIRouter(include_in_schema=False)

LONGEST_TYPED: Final = 40


@router.get("/")
async def home(request: Request, code: str = "", left: str = "") -> Response:
    """Welcome; a link may carry a code, which fills the field in."""
    return await _home(request, typed=code[:LONGEST_TYPED], left=left == "1")


@router.get("/code")
@router.get("/leave")
async def nothing_to_see(request: Request) -> Response:
    """Answer a visitor who comes back to the address of a form."""
    return go("/")


@router.post("/code", dependencies=[Depends(from_our_pages)])
async def code(request: Request) -> Response:
    """Take an access code and show its run."""
    async with request.form(max_files=0, max_fields=8) as form:
        typed = str(form.get("code", ""))[:LONGEST_TYPED]
    if not typed.strip():
        return await _home(request, 422, fault="home.code_empty")
    context, address = context_of(request), address_of(request)
    try:
        context.code_limit.check(address)
        campaign = await context.read(partial(campaign_of_code, access_code=parsed_access_code(typed) or ""))
        if campaign is not None:
            return go(f"/c/{campaign.access_code}")
        entered = await enter_code(context, typed, address)
    except Problem as problem:
        if problem.kind not in (UNKNOWN_CODE, TOO_MANY_REQUESTS):
            raise
        return await _home(request, problem.status_code, problem.headers, typed, f"problem.{problem.kind.slug}.text")
    live = await current_run(context, entered.run_id)
    response = go("/run" if live.run.rules_hash is None else "/certificate")
    RUN.bind(request, response, entered.token)
    return response


@router.post("/leave", dependencies=[Depends(from_our_pages)])
async def leave(request: Request) -> Response:
    """Forget the run in this browser; its answers are kept."""
    response = go("/?left=1")
    RUN.release(request, response)
    PARTICIPATION.release(request, response)
    return response


async def _home(
    request: Request,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    typed: str = "",
    fault: str | None = None,
    left: bool = False,
) -> Response:
    live, certified = await shown_run(request), await certified_run(request)
    state = None if live is None else "done" if live.pending is None else "going"
    return page(
        request,
        "home.html",
        status,
        headers,
        self_service=context_of(request).settings.self_service,
        state=state if certified is None else "certified",
        typed=typed,
        fault=fault,
        left=left,
    )
