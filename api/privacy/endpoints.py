"""What data protection asks for, under /v1/learners and /v1/organisations."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from api.certification.texts import Moment
from api.context import context_of
from api.errors import problem_responses
from api.oauth.access import platform
from api.oauth.scopes import LEARNERS_READ, LEARNERS_WRITE, ORGANISATIONS_READ
from api.oauth.tokens import Platform
from api.organisations.callers import Staff, staff
from api.pagination import Cursor, Limit
from api.privacy.service import erase_learner, learner_data, list_accesses, registration_data
from api.problems import (
    INVALID_REQUEST,
    NOT_ALLOWED,
    NOT_NOW,
    UNAUTHENTICATED,
    UNKNOWN_LEARNER,
    UNKNOWN_ORGANISATION,
    UNKNOWN_REGISTRATION,
)

_REFUSED = problem_responses(UNAUTHENTICATED, NOT_ALLOWED, INVALID_REQUEST)
router = APIRouter(prefix="/v1/learners/{learner_id}", tags=["data protection"], responses=_REFUSED)
of_organisation = APIRouter(
    prefix="/v1/organisations/{organisation_id}/learners/{registration_id}",
    tags=["data protection"],
    responses=_REFUSED,
)

LearnerId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
OrganisationId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
RegistrationId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]


class LearnerData(BaseModel):
    """Everything that is kept of a learner: the rows of each table."""

    model_config = ConfigDict(extra="allow")

    learner_id: str


class RegistrationData(BaseModel):
    """What an organisation holds of a learner."""

    registrations: list[dict[str, Any]]
    participations: list[dict[str, Any]]
    accesses: list[dict[str, Any]]


class AccessView(BaseModel):
    """Somebody who saw something of a learner."""

    at: Moment
    who: str = Field(description="member:ID or platform:ID.")
    what: str
    organisation_id: str | None


class AccessPage(BaseModel):
    """Some of a log, and where it goes on."""

    items: list[AccessView]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


@router.get(
    "/data",
    summary="Export everything about a learner",
    response_model=LearnerData,
    responses=problem_responses(UNKNOWN_LEARNER),
)
async def get_data(
    request: Request, caller: Annotated[Platform, Depends(platform(LEARNERS_READ))], learner_id: LearnerId
) -> Response:
    """Give everything that is kept of a learner, without what opens a door; it is noted that it was given."""
    return JSONResponse(await learner_data(context_of(request), caller.client_id, learner_id))


@router.delete("", status_code=204, summary="Erase a learner", responses=problem_responses(UNKNOWN_LEARNER, NOT_NOW))
async def delete_learner(
    request: Request, caller: Annotated[Platform, Depends(platform(LEARNERS_WRITE))], learner_id: LearnerId
) -> Response:
    """Forget who a learner is, for good; anonymous answers and results stay, and certificates are revoked."""
    await erase_learner(context_of(request), caller.client_id, learner_id)
    return Response(status_code=204)


@router.get(
    "/accesses",
    summary="Read who saw what of a learner",
    response_model=AccessPage,
    responses=problem_responses(UNKNOWN_LEARNER),
)
async def get_accesses(
    request: Request,
    caller: Annotated[Platform, Depends(platform(LEARNERS_READ))],
    learner_id: LearnerId,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Any:
    """Read the log of a learner, the latest access first."""
    return await list_accesses(context_of(request), caller.client_id, learner_id, cursor, limit)


@of_organisation.get(
    "/data",
    summary="Export what an organisation holds of a learner",
    response_model=RegistrationData,
    responses=problem_responses(UNKNOWN_ORGANISATION, UNKNOWN_REGISTRATION),
)
async def get_registration_data(
    request: Request,
    caller: Annotated[Staff, Depends(staff(ORGANISATIONS_READ, admin=True))],
    organisation_id: OrganisationId,
    registration_id: RegistrationId,
) -> Response:
    """Give the registration of a learner and what was sent to the organisation; it is noted that it was given."""
    return JSONResponse(await registration_data(context_of(request), caller, organisation_id, registration_id))
