"""Invitations and the audit of an organisation; the door by which somebody answers an invitation."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.responses import JSONResponse

from api.addresses import address_of
from api.context import context_of
from api.errors import problem_responses
from api.idempotency import IdempotencyKey
from api.oauth.scopes import ORGANISATIONS_READ, ORGANISATIONS_WRITE
from api.organisations.audit import list_deeds
from api.organisations.callers import Staff, staff
from api.organisations.invitations import answer, invite, list_invitations, withdraw
from api.organisations.keyed import once_for
from api.organisations.members import member_view
from api.organisations.schemas import (
    DeedPage,
    InvitationAnswer,
    InvitationPage,
    MemberRequest,
    NewInvitation,
    NewMember,
)
from api.pagination import Cursor, Limit
from api.problems import (
    BODY_TOO_LARGE,
    INVALID_JSON,
    INVALID_REQUEST,
    KEY_REUSED,
    NOT_ALLOWED,
    NOT_NOW,
    TOO_MANY_REQUESTS,
    UNAUTHENTICATED,
    UNKNOWN_INVITATION,
    UNKNOWN_ORGANISATION,
)

router = APIRouter(
    prefix="/v1/organisations/{organisation_id}",
    tags=["organisations"],
    responses=problem_responses(UNAUTHENTICATED, NOT_ALLOWED, INVALID_REQUEST, UNKNOWN_ORGANISATION),
)
answers = APIRouter(prefix="/v1/invitation-answers", tags=["organisations"])

OrganisationId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
InvitationId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
AdminReader = Annotated[Staff, Depends(staff(ORGANISATIONS_READ, admin=True))]
Admin = Annotated[Staff, Depends(staff(ORGANISATIONS_WRITE, admin=True))]


@router.post(
    "/invitations",
    status_code=201,
    summary="Invite somebody",
    response_model=NewInvitation,
    responses=problem_responses(INVALID_JSON, BODY_TOO_LARGE, KEY_REUSED),
)
async def post_invitation(
    request: Request,
    caller: Admin,
    organisation_id: OrganisationId,
    order: MemberRequest,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Invite somebody to become a member; the answer holds the code and the link, which are told only here."""
    context = context_of(request)
    once = await once_for(context, caller, organisation_id, "invitations", idempotency_key, order.model_dump_json())
    made = await invite(context, caller, organisation_id, order.name, order.role, once)
    return JSONResponse(made, status_code=201)


@router.get("/invitations", summary="List invitations", response_model=InvitationPage)
async def get_invitations(
    request: Request, caller: AdminReader, organisation_id: OrganisationId, cursor: Cursor = None, limit: Limit = 50
) -> Any:
    """List the invitations of an organisation, the latest first."""
    return await list_invitations(context_of(request), caller, organisation_id, cursor, limit)


@router.delete(
    "/invitations/{invitation_id}",
    status_code=204,
    summary="Withdraw an invitation",
    responses=problem_responses(UNKNOWN_INVITATION, NOT_NOW),
)
async def delete_invitation(
    request: Request, caller: Admin, organisation_id: OrganisationId, invitation_id: InvitationId
) -> Response:
    """Make an invitation worthless before somebody answers it."""
    await withdraw(context_of(request), caller, organisation_id, invitation_id)
    return Response(status_code=204)


@router.get("/audit", summary="Read who did what", response_model=DeedPage)
async def get_audit(
    request: Request, caller: AdminReader, organisation_id: OrganisationId, cursor: Cursor = None, limit: Limit = 50
) -> Any:
    """Read the audit of an organisation, the latest deed first."""
    return await list_deeds(context_of(request), caller, organisation_id, cursor, limit)


@answers.post(
    "",
    status_code=201,
    summary="Answer an invitation",
    response_model=NewMember,
    responses=problem_responses(
        INVALID_JSON, UNKNOWN_INVITATION, BODY_TOO_LARGE, INVALID_REQUEST, KEY_REUSED, TOO_MANY_REQUESTS
    ),
)
async def post_answer(request: Request, order: InvitationAnswer, idempotency_key: IdempotencyKey = None) -> Response:
    """Become a member by the code of an invitation; the answer holds the token, which is told only here."""
    member, token = await answer(context_of(request), order.code, order.name, address_of(request), idempotency_key)
    return JSONResponse({**member_view(member), "token": token}, status_code=201)
