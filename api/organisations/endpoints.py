"""/v1/organisations."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.responses import JSONResponse

from api.context import context_of
from api.errors import problem_responses
from api.idempotency import IdempotencyKey, Once
from api.oauth.access import platform
from api.oauth.scopes import ORGANISATIONS_READ, ORGANISATIONS_WRITE
from api.oauth.tokens import Platform
from api.organisations.callers import Staff, required_organisation, staff
from api.organisations.keyed import once_for
from api.organisations.members import change_member, create_member, list_members, member_view, remove_member
from api.organisations.schemas import (
    MemberChange,
    MemberPage,
    MemberRequest,
    MemberView,
    NewMember,
    OrganisationPage,
    OrganisationRequest,
    OrganisationView,
)
from api.organisations.service import create_organisation, list_organisations, organisation_view
from api.pagination import Cursor, Limit
from api.problems import (
    BODY_TOO_LARGE,
    INVALID_JSON,
    INVALID_REQUEST,
    KEY_REUSED,
    NOT_ALLOWED,
    NOT_NOW,
    UNAUTHENTICATED,
    UNKNOWN_MEMBER,
    UNKNOWN_ORGANISATION,
)

router = APIRouter(
    prefix="/v1/organisations",
    tags=["organisations"],
    responses=problem_responses(UNAUTHENTICATED, NOT_ALLOWED, INVALID_REQUEST),
)

OrganisationId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
MemberId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
Reader = Annotated[Staff, Depends(staff(ORGANISATIONS_READ))]
AdminReader = Annotated[Staff, Depends(staff(ORGANISATIONS_READ, admin=True))]
Admin = Annotated[Staff, Depends(staff(ORGANISATIONS_WRITE, admin=True))]


@router.post(
    "",
    status_code=201,
    summary="Create an organisation",
    response_model=OrganisationView,
    responses=problem_responses(INVALID_JSON, BODY_TOO_LARGE, INVALID_REQUEST, KEY_REUSED),
)
async def post_organisation(
    request: Request,
    caller: Annotated[Platform, Depends(platform(ORGANISATIONS_WRITE))],
    order: OrganisationRequest,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Create an organisation of the platform; POST /v1/organisations/{organisation_id}/members makes its people."""
    once = Once.of(caller.client_id, "organisations", idempotency_key, order.model_dump_json())
    organisation = await create_organisation(context_of(request), caller.client_id, order.name, order.uai, once)
    return JSONResponse(
        organisation_view(organisation), status_code=201, headers={"Location": f"/v1/organisations/{organisation.id}"}
    )


@router.get("", summary="List organisations", response_model=OrganisationPage)
async def get_organisations(
    request: Request,
    caller: Annotated[Platform, Depends(platform(ORGANISATIONS_READ))],
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Any:
    """List the platform's organisations, the latest first."""
    return await list_organisations(context_of(request), caller.client_id, cursor, limit)


@router.get(
    "/{organisation_id}",
    summary="Read an organisation",
    response_model=OrganisationView,
    responses=problem_responses(UNKNOWN_ORGANISATION),
)
async def get_organisation(request: Request, caller: Reader, organisation_id: OrganisationId) -> Any:
    """Read one of the platform's organisations, or the organisation for which the caller works."""
    context = context_of(request)
    return organisation_view(
        await context.read(lambda connection: required_organisation(connection, caller, organisation_id))
    )


@router.post(
    "/{organisation_id}/members",
    status_code=201,
    summary="Make somebody a member of an organisation",
    response_model=NewMember,
    responses=problem_responses(INVALID_JSON, UNKNOWN_ORGANISATION, BODY_TOO_LARGE, INVALID_REQUEST, KEY_REUSED),
)
async def post_member(
    request: Request,
    caller: Admin,
    organisation_id: OrganisationId,
    order: MemberRequest,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Make a member of any role; the answer holds their token, which is told only here.

    Somebody far away is better invited: POST /v1/organisations/{organisation_id}/invitations.
    """
    context = context_of(request)
    once = await once_for(context, caller, organisation_id, "members", idempotency_key, order.model_dump_json())
    member, token = await create_member(context, caller, organisation_id, order.name, order.role, once)
    return JSONResponse({**member_view(member), "token": token}, status_code=201)


@router.get(
    "/{organisation_id}/members",
    summary="List the members of an organisation",
    response_model=MemberPage,
    responses=problem_responses(UNKNOWN_ORGANISATION),
)
async def get_members(
    request: Request, caller: AdminReader, organisation_id: OrganisationId, cursor: Cursor = None, limit: Limit = 50
) -> Any:
    """List the members of an organisation in the order of their coming, those whose token was revoked too."""
    return await list_members(context_of(request), caller, organisation_id, cursor, limit)


@router.patch(
    "/{organisation_id}/members/{member_id}",
    summary="Change a member",
    response_model=MemberView,
    responses=problem_responses(INVALID_JSON, BODY_TOO_LARGE, UNKNOWN_ORGANISATION, UNKNOWN_MEMBER, NOT_NOW),
)
async def patch_member(
    request: Request, caller: Admin, organisation_id: OrganisationId, member_id: MemberId, order: MemberChange
) -> Any:
    """Give a member another name or role; the organisation keeps an administrator."""
    context = context_of(request)
    return member_view(await change_member(context, caller, organisation_id, member_id, order.name, order.role))


@router.delete(
    "/{organisation_id}/members/{member_id}",
    status_code=204,
    summary="Revoke a member's token",
    responses=problem_responses(UNKNOWN_ORGANISATION, UNKNOWN_MEMBER, NOT_NOW),
)
async def delete_member(
    request: Request, caller: Admin, organisation_id: OrganisationId, member_id: MemberId
) -> Response:
    """Revoke the token of a member at once; what they did stays under their name."""
    await remove_member(context_of(request), caller, organisation_id, member_id)
    return Response(status_code=204)
