"""Bringing a list of learners: the file, what it would change, and only then the change."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from api.body_limit import takes_a_file
from api.context import context_of
from api.organisations.importing.mapping import Mapping
from api.organisations.importing.service import apply_list, find_import, read_list, too_many
from api.organisations.records import Member
from api.pages.certification.doors import own_admin
from api.pages.certification.moments import local
from api.pages.certification.refusals import refusal
from api.pages.origin import from_our_pages
from api.pages.page import go, page, words_for
from api.problems import CONFIRMATION_NEEDED, INVALID_REQUEST, INVALID_ROWS, NOT_NOW, Problem

router = APIRouter(include_in_schema=False)
Admin = Annotated[Member, Depends(own_admin)]

FIELDS: Final = ("last_name", "first_name", "birth_date", "ine", "external_id", "division", "usual_name")
"""What the page lets one map; the API takes the others too."""
FREGATA, OTHER = "fregata", "other"
_LONGEST: Final = 255


@router.get("/team/learners/import")
async def form(request: Request, member: Admin) -> Response:
    """Show the form of a file."""
    return await _form(request, member, {"kind": FREGATA})


@router.post("/team/learners/import", dependencies=[Depends(from_our_pages), Depends(takes_a_file)])
async def read(request: Request, member: Admin) -> Response:
    """Read a file, and go on to what it would change."""
    context = context_of(request)
    async with request.form(max_files=1, max_fields=32) as sent:
        typed, file = _typed(sent), sent.get("file")
        if not isinstance(file, UploadFile) or not file.size:
            return await _form(request, member, typed, 422, lacking=True)
        try:
            mapping = _mapping(typed)
            made = await read_list(context, member, member.organisation_id, file.file, file.filename or "", mapping)
        except ValidationError:
            return await _form(request, member, typed, 422, refused=words_for(request)("refusal.mapping"))
        except Problem as problem:
            if problem.kind is INVALID_ROWS:
                return await _form(request, member, typed, 422, errors=problem.members)
            if problem.kind is not INVALID_REQUEST:
                raise
            return await _form(request, member, typed, 422, refused=refusal(request, problem))
    return go(f"/team/learners/imports/{made['id']}")


@router.get("/team/learners/imports/{import_id}")
async def difference(request: Request, import_id: str, member: Admin) -> Response:
    """Show what a list would change, or has changed."""
    return await _difference(request, member, import_id)


@router.post("/team/learners/imports/{import_id}", dependencies=[Depends(from_our_pages)])
async def apply(request: Request, import_id: str, member: Admin) -> Response:
    """Apply a list."""
    async with request.form(max_files=0, max_fields=8) as sent:
        confirm = sent.get("confirm") == "yes"
    try:
        await apply_list(context_of(request), member, member.organisation_id, import_id, confirm)
    except Problem as problem:
        if problem.kind is CONFIRMATION_NEEDED:
            return await _difference(request, member, import_id, 409, unconfirmed=True)
        if problem.kind is not NOT_NOW:
            raise
        return await _difference(request, member, import_id, 409, refused=refusal(request, problem))
    return go(f"/team/learners/imports/{import_id}")


def _typed(sent: FormData) -> dict[str, str]:
    kind = OTHER if sent.get("kind") == OTHER else FREGATA
    return {"kind": kind} | {name: str(sent.get(name, ""))[:_LONGEST].strip() for name in FIELDS}


def _mapping(typed: dict[str, str]) -> Mapping | None:
    if typed["kind"] == FREGATA:
        return None
    return Mapping.model_validate({name: typed[name] for name in FIELDS if typed[name]})


async def _form(
    request: Request,
    member: Member,
    typed: dict[str, str],
    status: int = 200,
    *,
    lacking: bool = False,
    refused: str | None = None,
    errors: dict[str, Any] | None = None,
) -> Response:
    words = words_for(request)
    told = [] if errors is None else [error | {"said": _said(request, error)} for error in errors["errors"]]
    size = words("import.size", size=context_of(request).settings.import_limit // 1024)
    return page(
        request,
        "learners/import.html",
        status,
        member=member,
        typed=dict.fromkeys(FIELDS, "") | typed,
        fields=FIELDS,
        size=size,
        lacking=lacking,
        refused=refused,
        errors=told,
        total=0 if errors is None else errors["total"],
    )


async def _difference(
    request: Request,
    member: Member,
    import_id: str,
    status: int = 200,
    *,
    unconfirmed: bool = False,
    refused: str | None = None,
) -> Response:
    context, words = context_of(request), words_for(request)
    found = await find_import(context, member, member.organisation_id, import_id)
    told = found["difference"]
    applied = found["applied_at"]
    return page(
        request,
        "learners/difference.html",
        status,
        member=member,
        one=found,
        told=told,
        asks=told is not None and applied is None and too_many(context, told),
        applied=applied and words.day(local(datetime.fromisoformat(applied), context.settings.campaign_zone)),
        unconfirmed=unconfirmed,
        refused=refused,
    )


def _said(request: Request, error: dict[str, Any]) -> str | None:
    """Say in the visitor's language what is wrong on a line; None when there are no words for it."""
    words, name = words_for(request), f"learners.fault_{error['code']}"
    values = {"column": error["column"] or "", "limit": error.get("limit", ""), "first": error.get("first", "")}
    return words(name, **values) if name in words else None
