"""The door of a campaign: what it is, and who one is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.responses import Response

from api.addresses import address_of
from api.campaigns.entering import door as behind
from api.campaigns.entering import enter
from api.campaigns.schemas import EntryRequest
from api.campaigns.views import door_view
from api.context import context_of
from api.identifiers import parsed_access_code
from api.pages.campaigns.own import shown_entry
from api.pages.certification.entry import birth_date
from api.pages.certification.moments import local
from api.pages.certification.refusals import refusal
from api.pages.cookie import PARTICIPATION, shown_run
from api.pages.lengths import minutes
from api.pages.origin import from_our_pages
from api.pages.page import go, page, words_for
from api.problems import INVALID_REQUEST, NOT_NOW, NOT_ON_THE_LIST, SEVERAL_MATCH, TOO_MANY_REQUESTS, Problem

router = APIRouter(include_in_schema=False)

FIELDS: Final = ("first_name", "last_name", "day", "month", "year", "ine", "external_id")
_LONGEST: Final = 255
_TOLD: Final = {
    NOT_ON_THE_LIST: "campaign_door.nobody",
    SEVERAL_MATCH: "campaign_door.several",
    TOO_MANY_REQUESTS: "problem.too-many-requests.text",
}
"""Words for what keeps somebody out."""


@router.get("/c/{code}")
async def door(request: Request, code: str) -> Response:
    """Tell what a campaign is, and ask who one is; somebody who is in already goes on."""
    entry = await shown_entry(request)
    if entry is not None and entry.campaign.access_code == parsed_access_code(code):
        return go("/campaign")
    return await _door(request, code, dict.fromkeys(FIELDS, ""))


@router.post("/c/{code}", dependencies=[Depends(from_our_pages)])
async def come_in(request: Request, code: str) -> Response:
    """Let somebody in who says who they are."""
    async with request.form(max_files=0, max_fields=16) as form:
        typed = {name: str(form.get(name, ""))[:_LONGEST].strip() for name in FIELDS}
    context = context_of(request)
    campaign, _ = await behind(context, code, address_of(request))
    born = birth_date(typed)
    faults = [name for name in FIELDS[:2] if not typed[name]]
    faults += ["birth_date"] if campaign.restricted and born is None else []
    faults += ["external_id"] if campaign.external_id_label and not typed["external_id"] else []
    order = None
    try:
        named = {name: typed[name] or None for name in ("ine", "external_id")}
        who = {name: typed[name] for name in FIELDS[:2]}
        order = EntryRequest.model_validate({"code": code, "birth_date": born, **who, **named})
    except ValidationError as error:
        faults += [str(fault["loc"][0]) for fault in error.errors()]
    if order is None or faults:
        return await _door(request, code, typed, faults, 422)
    shown = await shown_run(request)
    try:
        entry = await enter(context, order, address_of(request), None if shown is None else shown.run)
    except Problem as problem:
        if problem.kind in (NOT_NOW, INVALID_REQUEST):
            return await _door(request, code, typed, (), problem.status_code, refusal(request, problem))
        if problem.kind not in _TOLD:
            raise
        told = words_for(request)(_TOLD[problem.kind])
        asks = problem.kind is SEVERAL_MATCH or bool(typed["ine"])
        return await _door(request, code, typed, (), problem.status_code, told, problem.headers, ine=asks)
    response = go("/campaign")
    PARTICIPATION.bind(request, response, entry.token(context))
    return response


async def _door(
    request: Request,
    code: str,
    typed: Mapping[str, str],
    faults: Sequence[str] = (),
    status: int = 200,
    told: str | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    ine: bool = False,
) -> Response:
    context, words = context_of(request), words_for(request)
    campaign, organisation = await behind(context, code, address_of(request))
    shown: dict[str, Any] = door_view(context, campaign, organisation)
    if shown["items"] is not None:
        items = context.served.bank(campaign.locale).snapshot.items
        shown["minutes"] = minutes(shown["items"] * sum(item.time for item in items) / len(items))
    zone = context.settings.campaign_zone
    return page(
        request,
        "campaigns/door.html",
        status,
        headers,
        campaign=shown,
        code=code,
        opens=words.day(local(datetime.fromisoformat(shown["opens_at"]), zone)),
        typed=typed,
        faults=list(dict.fromkeys(faults)),
        told=told,
        ine=ine or bool(typed["ine"]),
    )
