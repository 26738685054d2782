"""The learners of an organisation, by class."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.context import context_of
from api.organisations.records import ADMIN, Member
from api.organisations.registrations.names import compared
from api.organisations.registrations.schemas import ShownDivision, ShownName
from api.organisations.registrations.service import list_registrations, list_teams
from api.pages.certification.doors import own_teacher
from api.pages.page import page

router = APIRouter(include_in_schema=False)

_SHOWN: Final = 200


@router.get("/team/learners")
async def learners(
    request: Request,
    member: Annotated[Member, Depends(own_teacher)],
    division: ShownDivision = "",
    left: str = "",
    name: ShownName = "",
    after: str | None = None,
) -> Response:
    """Show the classes and the learners of one, of all, or those who left."""
    context, active = context_of(request), left != "1"
    chosen = division or None
    found = await list_registrations(
        context, member, member.organisation_id, after, _SHOWN, chosen, active, name.strip() or None
    )
    people = sorted(found["items"], key=lambda one: (compared(one["last_name"]), compared(one["first_name"])))
    return page(
        request,
        "learners/register.html",
        member=member,
        admin=member.role == ADMIN,
        teams=(await list_teams(context, member, member.organisation_id))["items"],
        people=people,
        division=division,
        name=name.strip(),
        active=active,
        more=found["next"],
    )
