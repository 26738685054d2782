"""After the test: finalise, see the results, look at one candidate's file, decide."""

from datetime import date, datetime
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.responses import Response

from api.certification.audit import audit_of
from api.certification.certificates.held import required_certificate
from api.certification.decisions.evidence import evidence_view
from api.certification.decisions.finalise import ENDS, GivenEnd, finalise
from api.certification.decisions.jury import rescore, review, revoke
from api.certification.decisions.results import results_view
from api.certification.sessions.service import find_session
from api.certification.sitting.room import room_view
from api.certification.states import UNDER_WAY, Phase
from api.context import context_of
from api.organisations.records import Member
from api.pages.certification.comparison import comparison
from api.pages.certification.doors import own_admin
from api.pages.certification.moments import local
from api.pages.certification.refusals import refusal
from api.pages.certification.sheet import dated
from api.pages.origin import from_our_pages
from api.pages.page import go, page, words_for
from api.pages.words import Words
from api.problems import INVALID_REQUEST, NOT_NOW, Problem

router = APIRouter(include_in_schema=False)
Admin = Annotated[Member, Depends(own_admin)]

OUTCOMES: Final = ("validated", "rejected", "cancelled")
SIGNS: Final = ("sincerity", "person_fit", "too_fast", "times", "copied")
_LONGEST: Final = 2_000


@router.get("/team/sessions/{session_id}/finalise")
async def unfinished(request: Request, session_id: str, member: Admin) -> Response:
    """Show which tests have no reason for their end yet."""
    return await _unfinished(request, member, session_id)


@router.post("/team/sessions/{session_id}/finalise", dependencies=[Depends(from_our_pages)])
async def close(request: Request, session_id: str, member: Admin) -> Response:
    """Finalise a session, with the reasons of the tests that nobody ended."""
    context = context_of(request)
    async with request.form(max_files=0, max_fields=3_000) as form:
        texts = {name: str(value)[:_LONGEST].strip() for name, value in form.multi_items()}
    room = await room_view(context, member, session_id)
    open_ = [seat["id"] for seat in room["candidates"] if seat["phase"] in UNDER_WAY]
    given = {id: GivenEnd(texts.get(f"end-{id}", ""), texts.get(f"why-{id}", "")) for id in open_}
    lacking = [id for id, reason in given.items() if reason.end not in ENDS or not reason.why]
    if lacking:
        return await _unfinished(request, member, session_id, 422, texts, lacking)
    try:
        await finalise(context, member, session_id, given)
    except Problem as problem:
        if problem.kind is not NOT_NOW:
            raise
        return await _unfinished(request, member, session_id, 409, texts, overtaken=True)
    return go(f"/team/sessions/{session_id}/results")


@router.get("/team/sessions/{session_id}/results")
async def results(request: Request, session_id: str, member: Admin) -> Response:
    """Show what became of every candidate."""
    context = context_of(request)
    session = await find_session(context, member, session_id)
    view = await context.read(lambda connection: results_view(context, member, session_id, connection))
    shown = [one for one in view["candidates"] if one["state"] != Phase.REMOVED]
    waiting = sum(one["outcome"] == "to_review" for one in shown)
    new = any(one["state"] == Phase.DECIDED for one in shown)
    values = {"session": dated(request, session), "candidates": shown, "waiting": waiting, "new": new}
    return page(request, "certification/results.html", member=member, **values)


@router.get("/team/sessions/{session_id}/candidates/{candidate_id}/file")
async def file(request: Request, session_id: str, candidate_id: str, member: Admin, said: str = "") -> Response:
    """Show everything about one candidate, for the jury."""
    told = words_for(request)(f"jury.said_{said}") if said in ("review", "revoke", "rescore") else None
    return await _file(request, member, session_id, candidate_id, said=told)


@router.post("/team/sessions/{session_id}/candidates/{candidate_id}/file", dependencies=[Depends(from_our_pages)])
async def decide(request: Request, session_id: str, candidate_id: str, member: Admin) -> Response:
    """Decide as the jury, revoke the certificate, or score again."""
    context = context_of(request)
    async with request.form(max_files=0, max_fields=8) as form:
        typed = {name: str(form.get(name, ""))[:_LONGEST].strip() for name in ("act", "outcome", "why")}
    act, why = typed["act"], typed["why"]
    shown = partial(_file, request, member, session_id, candidate_id, typed=typed)
    if act not in ("review", "revoke", "rescore"):
        return go(f"/team/sessions/{session_id}/candidates/{candidate_id}/file")
    if not why or (act == "review" and typed["outcome"] not in OUTCOMES):
        return await shown(422, lacking=act)
    try:
        if act == "review":
            await review(context, member, session_id, candidate_id, typed["outcome"], why)
        elif act == "revoke":
            await revoke(context, member, session_id, candidate_id, why)
        else:
            await rescore(context, member, session_id, candidate_id, why)
    except Problem as problem:
        if problem.kind not in (NOT_NOW, INVALID_REQUEST):
            raise
        return await shown(problem.status_code, refused=refusal(request, problem))
    return go(f"/team/sessions/{session_id}/candidates/{candidate_id}/file?said={act}")


@router.get("/team/sessions/{session_id}/candidates/{candidate_id}/audit/{certificate_id}")
async def audit(request: Request, session_id: str, candidate_id: str, certificate_id: str, member: Admin) -> Response:
    """Get the audit file of a certificate, from which a third party derives it again."""
    context = context_of(request)

    def read(connection: Connection) -> bytes:
        held = required_certificate(connection, context, member, certificate_id)
        return audit_of(connection, held.scoring.run_id)

    headers = {"Content-Disposition": 'attachment; filename="audit.json"', "Cache-Control": "no-store"}
    return Response(await context.read(read), media_type="application/json", headers=headers)


async def _unfinished(
    request: Request,
    member: Member,
    session_id: str,
    status: int = 200,
    typed: dict[str, str] | None = None,
    lacking: list[str] | None = None,
    overtaken: bool = False,
) -> Response:
    context = context_of(request)
    session = await find_session(context, member, session_id)
    seats = (await room_view(context, member, session_id))["candidates"]
    return page(
        request,
        "certification/finalise.html",
        status,
        member=member,
        session=dated(request, session),
        open=[seat for seat in seats if seat["phase"] in UNDER_WAY],
        absent=sum(seat["phase"] == Phase.ENROLLED for seat in seats),
        typed=typed or {},
        lacking=lacking or [],
        overtaken=overtaken,
        ends=ENDS,
    )


async def _file(
    request: Request,
    member: Member,
    session_id: str,
    candidate_id: str,
    status: int = 200,
    *,
    said: str | None = None,
    typed: dict[str, str] | None = None,
    lacking: str | None = None,
    refused: str | None = None,
) -> Response:
    context, words = context_of(request), words_for(request)
    session = await find_session(context, member, session_id)
    view = await context.read(partial(evidence_view, context, member, session_id, candidate_id))
    zone = session["zone"]
    return page(
        request,
        "certification/file.html",
        status,
        member=member,
        session=dated(request, session),
        view=view,
        born=words.day(date.fromisoformat(view["birth_date"])),
        pictures={one["competence"]: comparison(one["profile_level"], one["level"]) for one in view["competences"]},
        signs=[name for name in SIGNS if name in view["statistics"]],
        questions=[question | {"given": _given(question["answer"])} for question in view["questions"]],
        facts=[fact | {"when": _when(words, fact["at"], zone)} for fact in view["facts"]],
        incidents=[fact | {"when": _when(words, fact["at"], zone)} for fact in view["incidents"]],
        scorings=[one | {"when": _when(words, one["at"], zone)} for one in view["scorings"]],
        reviews=[one | {"when": _when(words, one["at"], zone)} for one in view["reviews"]],
        said=said,
        typed=typed or {"act": "", "outcome": "", "why": ""},
        lacking=lacking,
        refused=refused,
        outcomes=OUTCOMES,
    )


def _when(words: Words, moment: str, zone: str) -> str:
    at = local(datetime.fromisoformat(moment), zone)
    return f"{words.day(at)}, {words.hour(at)}"


def _given(answer: Any) -> str:
    """Write an answer for people."""
    if isinstance(answer, dict):
        return ", ".join(f"{key} → {value}" for key, value in answer.items())
    if isinstance(answer, list):
        return ", ".join(map(str, answer))
    return "" if answer is None else str(answer)
