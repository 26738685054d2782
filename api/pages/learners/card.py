"""One learner of the list: what the organisation wrote of them, their campaigns, and what it holds, to take along."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from api.campaigns.follow_up import campaigns_of_registration
from api.context import context_of
from api.organisations.records import ADMIN, Member
from api.organisations.registrations.schemas import RegistrationChange
from api.organisations.registrations.service import alter_registration, find_registration
from api.pages.certification.doors import own_admin, own_teacher
from api.pages.certification.moments import local
from api.pages.origin import from_our_pages
from api.pages.page import go, page, words_for
from api.privacy.service import registration_data

router = APIRouter(include_in_schema=False)
Teacher = Annotated[Member, Depends(own_teacher)]
Admin = Annotated[Member, Depends(own_admin)]


@router.get("/team/learners/{registration_id}")
async def card(request: Request, registration_id: str, member: Teacher) -> Response:
    """Show a learner of the list."""
    context, words = context_of(request), words_for(request)
    found = await find_registration(context, member, member.organisation_id, registration_id)
    taken = await campaigns_of_registration(context, member, member.organisation_id, registration_id)
    zone = context.settings.campaign_zone

    def day(moment: str | None) -> str | None:
        return None if moment is None else words.day(local(datetime.fromisoformat(moment), zone))

    return page(
        request,
        "learners/card.html",
        member=member,
        admin=member.role == ADMIN,
        one=found,
        left=day(found["deactivated_at"]),
        taken=[one | {"day": day(one["sent_at"] or one["finished_at"] or one["created_at"])} for one in taken],
    )


@router.post("/team/learners/{registration_id}", dependencies=[Depends(from_our_pages)])
async def change(request: Request, registration_id: str, member: Admin) -> Response:
    """Take a learner off the list, or put them back."""
    async with request.form(max_files=0, max_fields=8) as sent:
        order = RegistrationChange(active=sent.get("act") == "back")
    await alter_registration(context_of(request), member, member.organisation_id, registration_id, order)
    return go(f"/team/learners/{registration_id}")


@router.post("/team/learners/{registration_id}/data", dependencies=[Depends(from_our_pages)])
async def data(request: Request, registration_id: str, member: Admin) -> Response:
    """Give what the organisation holds of a learner; it is noted that it was given."""
    told = await registration_data(context_of(request), member, member.organisation_id, registration_id)
    headers = {"Content-Disposition": 'attachment; filename="eleve.json"', "Cache-Control": "no-store"}
    return JSONResponse(told, headers=headers)
