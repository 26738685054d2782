"""/v1/organisations/{organisation_id}/learner-imports."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Path, Request, Response, UploadFile
from pydantic import ValidationError
from starlette.responses import JSONResponse

from api.body_limit import takes_a_file
from api.context import context_of
from api.errors import problem_responses
from api.oauth.scopes import ORGANISATIONS_READ, ORGANISATIONS_WRITE
from api.organisations.callers import Staff, staff
from api.organisations.importing.mapping import Mapping
from api.organisations.importing.schemas import ApplyRequest, ImportView
from api.organisations.importing.service import apply_list, find_import, read_list
from api.problems import (
    BAD_REQUEST,
    BODY_TOO_LARGE,
    CONFIRMATION_NEEDED,
    INVALID_JSON,
    INVALID_REQUEST,
    INVALID_ROWS,
    NOT_ALLOWED,
    NOT_NOW,
    UNAUTHENTICATED,
    UNKNOWN_IMPORT,
    UNKNOWN_ORGANISATION,
    Problem,
)

router = APIRouter(
    prefix="/v1/organisations/{organisation_id}/learner-imports",
    tags=["learners of organisations"],
    responses=problem_responses(UNAUTHENTICATED, NOT_ALLOWED, INVALID_REQUEST, UNKNOWN_ORGANISATION),
)

OrganisationId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
ImportId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
AdminReader = Annotated[Staff, Depends(staff(ORGANISATIONS_READ, admin=True))]
Admin = Annotated[Staff, Depends(staff(ORGANISATIONS_WRITE, admin=True))]


@router.post(
    "",
    status_code=201,
    summary="Read a list of learners",
    response_model=ImportView,
    responses=problem_responses(BAD_REQUEST, BODY_TOO_LARGE, INVALID_ROWS),
    dependencies=[Depends(takes_a_file)],
)
async def post_import(
    request: Request,
    caller: Admin,
    organisation_id: OrganisationId,
    file: Annotated[UploadFile, File(description="CSV: the ministry's export, or any file with a mapping.")],
    mapping: Annotated[str | None, Form(description="JSON: the header of the column that holds each field.")] = None,
) -> Response:
    """Read the complete list of learners and show what it would change; nothing changes until it is applied."""
    context = context_of(request)
    chosen = None if mapping is None else parsed_mapping(mapping)
    made = await read_list(context, caller, organisation_id, file.file, file.filename or "", chosen)
    location = f"/v1/organisations/{organisation_id}/learner-imports/{made['id']}"
    return JSONResponse(made, status_code=201, headers={"Location": location})


@router.get(
    "/{import_id}",
    summary="Read what a list changes",
    response_model=ImportView,
    responses=problem_responses(UNKNOWN_IMPORT),
)
async def get_import(
    request: Request, caller: AdminReader, organisation_id: OrganisationId, import_id: ImportId
) -> Any:
    """Read the difference of a list that waits, or of one that was applied."""
    return await find_import(context_of(request), caller, organisation_id, import_id)


@router.post(
    "/{import_id}/apply",
    summary="Apply a list",
    response_model=ImportView,
    responses=problem_responses(INVALID_JSON, BODY_TOO_LARGE, UNKNOWN_IMPORT, NOT_NOW, CONFIRMATION_NEEDED),
)
async def post_apply(
    request: Request,
    caller: Admin,
    organisation_id: OrganisationId,
    import_id: ImportId,
    order: ApplyRequest | None = None,
) -> Any:
    """Make the organisation's list what the file says, all or nothing."""
    confirm = order is not None and order.confirm
    return await apply_list(context_of(request), caller, organisation_id, import_id, confirm)


def parsed_mapping(text: str) -> Mapping:
    """Read a mapping; raise a 422 problem that says what is wrong with it."""
    try:
        return Mapping.model_validate_json(text)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"]) or "mapping"
        words = str(fault["msg"]).removeprefix("Value error, ").rstrip(".")
        raise Problem(INVALID_REQUEST, f"The mapping cannot be used at {place}: {words}.", reason="mapping") from None
