"""Enrolling: one person, everybody in a file, and what changes before the test begins."""

import hashlib
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from api.body_limit import takes_a_file
from api.certification.callers import organisation_of_session
from api.certification.sessions.candidate_schemas import CandidateChange, CandidateRequest
from api.certification.sessions.candidates import change_candidate, find_candidate, remove_candidate
from api.certification.sessions.enrolment import enrol
from api.certification.sessions.import_file import COLUMNS, LEARNER, REQUIRED, column_name
from api.certification.sessions.importing import import_candidates
from api.certification.sessions.service import find_session
from api.certification.states import Phase
from api.context import context_of
from api.identifiers import parsed_id
from api.organisations.records import Member
from api.pages.certification.doors import own_admin
from api.pages.certification.refusals import refusal
from api.pages.certification.sheet import dated
from api.pages.drawn import drawn_key, once_of
from api.pages.origin import from_our_pages
from api.pages.page import go, page, words_for
from api.problems import (
    INVALID_REQUEST,
    INVALID_ROWS,
    NOT_ELIGIBLE,
    NOT_FEASIBLE,
    NOT_NOW,
    UNKNOWN_CODE,
    UNKNOWN_LEARNER,
    Problem,
)
from itembank.items import FLAGS

router = APIRouter(include_in_schema=False)
Admin = Annotated[Member, Depends(own_admin)]

FIELDS: Final = ("learner", "first_name", "last_name", "birth_date", "extra_time", "equipment", "locale")
NEW: Final = dict.fromkeys(FIELDS, "") | {"extra_time": "0", "locale": "fr", "accessible": []}
_LONGEST: Final = 2_000
_REFUSED: Final = (INVALID_REQUEST, NOT_ELIGIBLE, NOT_FEASIBLE, NOT_NOW, UNKNOWN_CODE, UNKNOWN_LEARNER)


@router.get("/team/sessions/{session_id}/candidates/new")
async def new(request: Request, session_id: str, member: Admin) -> Response:
    """Show the form of somebody to enrol."""
    return await _form(request, member, session_id, NEW)


@router.post("/team/sessions/{session_id}/candidates/new", dependencies=[Depends(from_our_pages)])
async def add(request: Request, session_id: str, member: Admin) -> Response:
    """Enrol one person."""
    async with request.form(max_files=0, max_fields=32) as form:
        typed = _typed(form)
    named = {"learner_id" if parsed_id(typed["learner"]) else "code": typed["learner"]}
    order, faults = _read(CandidateRequest, typed, named)
    if order is None or faults:
        return await _form(request, member, session_id, typed, faults=faults, status=422)
    try:
        once = await once_of(
            request, member, session_id, "candidates", form, order.model_dump_json(), organisation_of_session
        )
        await enrol(context_of(request), member, session_id, order, once)
    except Problem as problem:
        return await _form(request, member, session_id, typed, problem=problem, status=problem.status_code)
    return go(f"/team/sessions/{session_id}?said=enrolled")


@router.get("/team/sessions/{session_id}/candidates/import")
async def file_form(request: Request, session_id: str, member: Admin) -> Response:
    """Show the form of a file."""
    return await _import(request, member, session_id)


@router.post(
    "/team/sessions/{session_id}/candidates/import", dependencies=[Depends(from_our_pages), Depends(takes_a_file)]
)
async def add_all(request: Request, session_id: str, member: Admin) -> Response:
    """Enrol everybody in a file, or nobody."""
    async with request.form(max_files=1, max_fields=8) as form:
        sent = form.get("file")
        content = await sent.read() if isinstance(sent, UploadFile) else b""
    if not content:
        return await _import(request, member, session_id, 422, lacking=True)
    try:
        digest = hashlib.sha256(content).hexdigest()
        once = await once_of(request, member, session_id, "imports", form, digest, organisation_of_session)
        made = await import_candidates(context_of(request), member, session_id, content, "text/csv", once)
    except Problem as problem:
        if problem.kind is INVALID_ROWS:
            return await _import(request, member, session_id, 422, errors=problem.members["errors"])
        if problem.kind is not NOT_NOW:
            raise
        return await _import(request, member, session_id, 409, refused=refusal(request, problem))
    return go(f"/team/sessions/{session_id}?said=imported&count={len(made['enrolled'])}")


@router.get("/team/sessions/{session_id}/candidates/{candidate_id}")
async def edit(request: Request, session_id: str, candidate_id: str, member: Admin) -> Response:
    """Show what may be changed of a candidate."""
    candidate = await find_candidate(context_of(request), member, session_id, candidate_id)
    return await _form(request, member, session_id, _of(candidate), candidate)


@router.post("/team/sessions/{session_id}/candidates/{candidate_id}", dependencies=[Depends(from_our_pages)])
async def change(request: Request, session_id: str, candidate_id: str, member: Admin) -> Response:
    """Change a candidate whose test has not begun, or take them off the list."""
    context = context_of(request)
    candidate = await find_candidate(context, member, session_id, candidate_id)
    async with request.form(max_files=0, max_fields=32) as form:
        typed, wish, why = _typed(form), str(form.get("act", "")), str(form.get("why", ""))[:_LONGEST].strip()
    shown = _of(candidate) if wish == "remove" else typed
    try:
        if wish == "remove":
            await remove_candidate(context, member, session_id, candidate_id, why or None)
            return go(f"/team/sessions/{session_id}?said=removed")
        wanted, faults = _read(CandidateChange, typed, {})
        if wanted is None or faults:
            return await _form(request, member, session_id, typed, candidate, faults=faults, status=422)
        await change_candidate(context, member, session_id, candidate_id, wanted)
    except Problem as problem:
        status = problem.status_code
        return await _form(request, member, session_id, shown, candidate, problem=problem, status=status)
    return go(f"/team/sessions/{session_id}?said=changed")


def _typed(form: FormData) -> dict[str, Any]:
    texts: dict[str, Any] = {name: str(form.get(name, ""))[:_LONGEST].strip() for name in FIELDS}
    return texts | {"accessible": [flag for flag in FLAGS if flag in form.getlist("accessible")]}


def _of(candidate: dict[str, Any]) -> dict[str, Any]:
    """Fields of somebody who is enrolled."""
    written = f"{candidate['extra_time']:g}".replace(".", ",")
    return {name: candidate.get(name, "") for name in (*FIELDS, "accessible")} | {"extra_time": written}


def _read(model: type[Any], typed: dict[str, Any], more: dict[str, str]) -> tuple[Any, list[str]]:
    """Read the fields, or name those that do not suit."""
    values = {name: typed[name] for name in (*FIELDS[1:], "accessible")} | more
    faults = ["learner"] if "" in more.values() else []
    try:
        values["extra_time"] = float(typed["extra_time"].replace(",", ".") or 0)
    except ValueError:
        return None, [*faults, "extra_time"]
    try:
        return model(**values), faults
    except ValidationError as error:
        found = [str(fault["loc"][0]) for fault in error.errors() if fault["loc"]]
        return None, faults + [name for name in (*FIELDS, "accessible") if name in found]


async def _form(
    request: Request,
    member: Member,
    session_id: str,
    typed: dict[str, Any],
    candidate: dict[str, Any] | None = None,
    *,
    faults: list[str] | None = None,
    problem: Problem | None = None,
    status: int = 200,
) -> Response:
    session = await find_session(context_of(request), member, session_id)
    return page(
        request,
        "certification/enrol.html",
        status,
        member=member,
        session=dated(request, session),
        candidate=candidate,
        locked=candidate is not None and candidate["state"] != Phase.ENROLLED,
        typed=typed,
        key=drawn_key(),
        faults=faults or [],
        refused=None if problem is None else _said(request, problem),
        flags=FLAGS,
    )


def _said(request: Request, problem: Problem) -> str:
    """Say in the visitor's language why somebody cannot be enrolled, or changed, so."""
    if problem.kind not in _REFUSED:
        raise problem
    words = words_for(request)
    if problem.kind is NOT_ELIGIBLE:
        return words("enrol.not_eligible", words=problem.members["words"][words.language])
    if problem.kind in (UNKNOWN_CODE, UNKNOWN_LEARNER):
        return words("enrol.lacks_learner")
    return refusal(request, problem)


async def _import(
    request: Request,
    member: Member,
    session_id: str,
    status: int = 200,
    *,
    errors: list[dict[str, Any]] | None = None,
    lacking: bool = False,
    refused: str | None = None,
) -> Response:
    context, words = context_of(request), words_for(request)
    session = await find_session(context, member, session_id)
    return page(
        request,
        "certification/import.html",
        status,
        member=member,
        session=dated(request, session),
        key=drawn_key(),
        columns=COLUMNS,
        required=REQUIRED,
        size=words("import.size", size=context.settings.import_limit // 1024),
        errors=[error | {"said": _fault(request, error)} for error in errors or ()],
        lacking=lacking,
        refused=refused,
    )


def _fault(request: Request, error: dict[str, Any]) -> str | None:
    """Say in the visitor's language what is wrong on a line; None when there are no words for it."""
    words, name = words_for(request), f"import.fault_{error['code']}"
    if error["code"] == "NOT_ELIGIBLE" and "words" in error:
        return str(error["words"][words.language])
    known = column_name(error["column"] or "")
    if error["code"] == "HEADER_REQUIRED" and known in LEARNER:
        return words("import.lacks_learner")
    values = {"column": error["column"] or "", "limit": error.get("limit", ""), "first": error.get("first", "")}
    values["expected"] = words(f"import.of_{known}") if f"import.of_{known}" in words else ""
    return words(name, **values) if name in words else None
