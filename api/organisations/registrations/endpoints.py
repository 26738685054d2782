"""/v1/organisations/{organisation_id}/learners and teams."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import JSONResponse

from api.context import context_of
from api.errors import problem_responses
from api.idempotency import IdempotencyKey
from api.oauth.scopes import ORGANISATIONS_READ, ORGANISATIONS_WRITE
from api.organisations.callers import Staff, staff, teaching
from api.organisations.keyed import once_for
from api.organisations.registrations.schemas import (
    Division,
    Name,
    NewRegistration,
    RegistrationChange,
    RegistrationPage,
    RegistrationRequest,
    RegistrationView,
    TeamList,
)
from api.organisations.registrations.service import (
    alter_registration,
    find_registration,
    list_registrations,
    list_teams,
    register,
)
from api.pagination import Cursor, Limit
from api.problems import (
    BODY_TOO_LARGE,
    INVALID_JSON,
    INVALID_REQUEST,
    KEY_REUSED,
    NOT_ALLOWED,
    NOT_NOW,
    UNAUTHENTICATED,
    UNKNOWN_LEARNER,
    UNKNOWN_ORGANISATION,
    UNKNOWN_REGISTRATION,
)

router = APIRouter(
    prefix="/v1/organisations/{organisation_id}",
    tags=["learners of organisations"],
    responses=problem_responses(UNAUTHENTICATED, NOT_ALLOWED, INVALID_REQUEST, UNKNOWN_ORGANISATION),
)

OrganisationId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
RegistrationId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
Reader = Annotated[Staff, Depends(teaching(ORGANISATIONS_READ))]
Admin = Annotated[Staff, Depends(staff(ORGANISATIONS_WRITE, admin=True))]


@router.post(
    "/learners",
    status_code=201,
    summary="Put a learner on the list",
    response_model=NewRegistration,
    responses=problem_responses(INVALID_JSON, UNKNOWN_LEARNER, BODY_TOO_LARGE, NOT_NOW, KEY_REUSED),
)
async def post_learner(
    request: Request,
    caller: Admin,
    organisation_id: OrganisationId,
    order: RegistrationRequest,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Register a learner by hand; one whose INE is known keeps their account from one organisation to another."""
    context = context_of(request)
    once = await once_for(context, caller, organisation_id, "learners", idempotency_key, order.model_dump_json())
    made = await register(context, caller, organisation_id, order, once)
    location = f"/v1/organisations/{organisation_id}/learners/{made['id']}"
    return JSONResponse(made, status_code=201, headers={"Location": location})


@router.get("/learners", summary="List the learners", response_model=RegistrationPage)
async def get_learners(
    request: Request,
    caller: Reader,
    organisation_id: OrganisationId,
    division: Division = None,
    active: Annotated[bool | None, Query(description="False lists those who were taken off.")] = True,
    name: Name = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Any:
    """List the learners on the list of an organisation, in the order of their coming."""
    return await list_registrations(context_of(request), caller, organisation_id, cursor, limit, division, active, name)


@router.get(
    "/learners/{registration_id}",
    summary="Read a learner of the list",
    response_model=RegistrationView,
    responses=problem_responses(UNKNOWN_REGISTRATION),
)
async def get_learner(
    request: Request, caller: Reader, organisation_id: OrganisationId, registration_id: RegistrationId
) -> Any:
    """Read what the organisation wrote of a learner."""
    return await find_registration(context_of(request), caller, organisation_id, registration_id)


@router.patch(
    "/learners/{registration_id}",
    summary="Change a learner of the list",
    response_model=RegistrationView,
    responses=problem_responses(INVALID_JSON, UNKNOWN_REGISTRATION, BODY_TOO_LARGE),
)
async def patch_learner(
    request: Request,
    caller: Admin,
    organisation_id: OrganisationId,
    registration_id: RegistrationId,
    order: RegistrationChange,
) -> Any:
    """Change a learner, take them off the list, or put them back. What is left out stays."""
    return await alter_registration(context_of(request), caller, organisation_id, registration_id, order)


@router.get("/teams", summary="List the classes", response_model=TeamList)
async def get_teams(request: Request, caller: Reader, organisation_id: OrganisationId) -> Any:
    """List the classes of an organisation, with the number of their active learners."""
    return await list_teams(context_of(request), caller, organisation_id)
