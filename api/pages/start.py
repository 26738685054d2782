"""Preparing one's own test: which competences, which length, which adaptations."""

from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from api.addresses import address_of
from api.context import Context, context_of
from api.pages.cookie import RUN, shown_run
from api.pages.lengths import LONG, SHORT, Length, lengths
from api.pages.origin import from_our_pages
from api.pages.page import go, page, words_for
from api.pages.words import LANGUAGES
from api.problems import SELF_SERVICE_OFF, Problem
from api.runs.pinned import Bank
from api.runs.start import Order, open_own_run
from engine.errors import BankError
from itembank.items import FLAGS
from itembank.snapshot import Snapshot

router = APIRouter(include_in_schema=False)

ALL, SOME = "all", "some"


@dataclass(frozen=True)
class Choice:
    """What a visitor chose."""

    scope: str = ALL
    competences: tuple[str, ...] = ()
    length: str = SHORT
    accessible: tuple[str, ...] = ()


@router.get("/start")
async def prepare(request: Request) -> Response:
    """Show the choices; a link may carry competences, which are ticked."""
    if not context_of(request).settings.self_service:
        raise Problem(SELF_SERVICE_OFF, "Runs are opened by a platform here: enter the access code that it gave.")
    ticked = tuple(request.query_params.getlist("competence"))
    return _form(request, Choice(SOME, ticked) if ticked else Choice())


@router.post("/start", dependencies=[Depends(from_our_pages)])
async def start(request: Request) -> Response:
    """Open the run that was chosen and show its first question."""
    context = context_of(request)
    async with request.form(max_files=0, max_fields=100) as form:
        choice = _chosen(form)
    if choice.scope == SOME and not choice.competences:
        return _form(request, choice, 422, fault=True)
    shown = await shown_run(request)
    order = _order(context, words_for(request).language, choice)
    opened = await open_own_run(context, order, address_of(request), None if shown is None else shown.run)
    response = go("/run")
    RUN.bind(request, response, opened.token)
    return response


def bank_for(context: Context, language: str) -> Bank:
    """Return the questions for a visitor: in their own language where there are some, else in French."""
    try:
        return context.served.bank(language)
    except BankError:
        return context.served.bank(LANGUAGES[0])


def _chosen(form: FormData) -> Choice:
    return Choice(
        scope=SOME if form.get("scope") == SOME else ALL,
        competences=tuple(dict.fromkeys(str(code) for code in form.getlist("competence"))),
        length=LONG if form.get("length") == LONG else SHORT,
        accessible=tuple(sorted(set(FLAGS).intersection(str(flag) for flag in form.getlist("accessible")))),
    )


def _order(context: Context, language: str, choice: Choice) -> Order:
    snapshot = bank_for(context, language).snapshot
    codes = choice.competences if choice.scope == SOME else snapshot.framework.codes
    wanted = next(length for length in _lengths(snapshot) if length.name == choice.length)
    return Order(
        competences=codes if choice.scope == SOME else None,
        locale=snapshot.locale,
        accessible=choice.accessible,
        length=wanted.questions[min(len(codes), len(wanted.questions)) - 1],
    )


def _lengths(snapshot: Snapshot) -> tuple[Length, ...]:
    return lengths(len(snapshot.framework.codes), snapshot.items)


def _form(request: Request, choice: Choice, status: int = 200, fault: bool = False) -> Response:
    snapshot = bank_for(context_of(request), words_for(request).language).snapshot
    return page(
        request,
        "start.html",
        status,
        framework=snapshot.framework,
        foreign=snapshot.locale != words_for(request).language,
        lengths=_lengths(snapshot),
        choice=choice,
        flags=FLAGS,
        fault=fault,
    )
