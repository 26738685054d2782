"""The audit of an organisation: who did what, for its administrators."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.context import context_of
from api.organisations.audit import list_deeds
from api.organisations.records import Member
from api.pages.certification.doors import own_admin
from api.pages.certification.moments import local
from api.pages.page import page, words_for

router = APIRouter(include_in_schema=False)

_SHOWN: Final = 100


@router.get("/team/audit")
async def audit(request: Request, member: Annotated[Member, Depends(own_admin)], before: str | None = None) -> Response:
    """Show what was done, the latest first."""
    context, words = context_of(request), words_for(request)
    found = await list_deeds(context, member, member.organisation_id, before, _SHOWN)

    def moment(written: str) -> str:
        at = local(datetime.fromisoformat(written), context.settings.campaign_zone)
        return f"{words.day(at)}, {words.hour(at)}"

    deeds = [
        deed
        | {
            "moment": moment(deed["at"]),
            "by": deed["name"] or words(f"audit.by_{deed['who'].partition(':')[0]}"),
            "about": (deed["data"] or {}).get("name") or (deed["data"] or {}).get("title") or "",
        }
        for deed in found["items"]
    ]
    return page(request, "organisations/audit.html", member=member, deeds=deeds, older=found["next"])
