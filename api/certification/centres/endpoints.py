"""/v1/centres."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.responses import JSONResponse

from api.certification.callers import Staff, required_centre, staff
from api.certification.centres.schemas import (
    CentrePage,
    CentreRequest,
    CentreView,
    MemberPage,
    MemberRequest,
    NewMember,
)
from api.certification.centres.service import (
    centre_view,
    create_centre,
    create_member,
    list_centres,
    list_members,
    member_view,
    remove_member,
)
from api.certification.keyed import once_for
from api.context import context_of
from api.errors import problem_responses
from api.idempotency import IdempotencyKey, Once
from api.oauth.access import platform
from api.oauth.scopes import CERTIFICATION_READ, CERTIFICATION_WRITE
from api.oauth.tokens import Platform
from api.pagination import Cursor, Limit
from api.problems import (
    BODY_TOO_LARGE,
    INVALID_JSON,
    INVALID_REQUEST,
    KEY_REUSED,
    NOT_ALLOWED,
    NOT_NOW,
    UNAUTHENTICATED,
    UNKNOWN_CENTRE,
    UNKNOWN_MEMBER,
)

router = APIRouter(
    prefix="/v1/centres",
    tags=["centres"],
    responses=problem_responses(UNAUTHENTICATED, NOT_ALLOWED, INVALID_REQUEST),
)

CentreId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
MemberId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
Reader = Annotated[Staff, Depends(staff(CERTIFICATION_READ))]
AdminReader = Annotated[Staff, Depends(staff(CERTIFICATION_READ, admin=True))]
Admin = Annotated[Staff, Depends(staff(CERTIFICATION_WRITE, admin=True))]


@router.post(
    "",
    status_code=201,
    summary="Create a centre",
    response_model=CentreView,
    responses=problem_responses(INVALID_JSON, BODY_TOO_LARGE, INVALID_REQUEST, KEY_REUSED),
)
async def post_centre(
    request: Request,
    caller: Annotated[Platform, Depends(platform(CERTIFICATION_WRITE))],
    order: CentreRequest,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Create a centre of the platform; its first administrator is made with POST /v1/centres/{centre_id}/members."""
    once = Once.of(caller.client_id, "centres", idempotency_key, order.model_dump_json())
    centre = await create_centre(context_of(request), caller.client_id, order.name, order.uai, once)
    return JSONResponse(centre_view(centre), status_code=201, headers={"Location": f"/v1/centres/{centre.id}"})


@router.get("", summary="List centres", response_model=CentrePage)
async def get_centres(
    request: Request,
    caller: Annotated[Platform, Depends(platform(CERTIFICATION_READ))],
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Any:
    """List the platform's centres, the latest first."""
    return await list_centres(context_of(request), caller.client_id, cursor, limit)


@router.get(
    "/{centre_id}", summary="Read a centre", response_model=CentreView, responses=problem_responses(UNKNOWN_CENTRE)
)
async def get_centre(request: Request, caller: Reader, centre_id: CentreId) -> Any:
    """Read one of the platform's centres, or the centre for which the caller works."""
    context = context_of(request)
    return centre_view(await context.read(lambda connection: required_centre(connection, caller, centre_id)))


@router.post(
    "/{centre_id}/members",
    status_code=201,
    summary="Make somebody a member of a centre",
    response_model=NewMember,
    responses=problem_responses(INVALID_JSON, UNKNOWN_CENTRE, BODY_TOO_LARGE, INVALID_REQUEST, KEY_REUSED),
)
async def post_member(
    request: Request, caller: Admin, centre_id: CentreId, order: MemberRequest, idempotency_key: IdempotencyKey = None
) -> Response:
    """Make an administrator or an invigilator; the answer holds their token, which is told only here."""
    context = context_of(request)
    once = await once_for(context, caller, centre_id, "members", idempotency_key, order.model_dump_json())
    member, token = await create_member(context, caller, centre_id, order.name, order.role, once)
    return JSONResponse({**member_view(member), "token": token}, status_code=201)


@router.get(
    "/{centre_id}/members",
    summary="List the members of a centre",
    response_model=MemberPage,
    responses=problem_responses(UNKNOWN_CENTRE),
)
async def get_members(
    request: Request, caller: AdminReader, centre_id: CentreId, cursor: Cursor = None, limit: Limit = 50
) -> Any:
    """List the members of a centre in the order of their coming, those whose token was revoked too."""
    return await list_members(context_of(request), caller, centre_id, cursor, limit)


@router.delete(
    "/{centre_id}/members/{member_id}",
    status_code=204,
    summary="Revoke a member's token",
    responses=problem_responses(UNKNOWN_CENTRE, UNKNOWN_MEMBER, NOT_NOW),
)
async def delete_member(request: Request, caller: Admin, centre_id: CentreId, member_id: MemberId) -> Response:
    """Revoke the token of a member at once; what they did stays under their name."""
    await remove_member(context_of(request), caller, centre_id, member_id)
    return Response(status_code=204)
