"""The holder's page: what was certified, the documents, and what the public check shows."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.certification.audit import audit_of
from api.certification.certificates.credential import signed_credential
from api.certification.certificates.held import Held, certificate_view, own_certificate
from api.certification.certificates.sharing import share
from api.certification.certificates.sheet import certificate_pdf
from api.certification.decisions.results import own_outcome
from api.context import Context, context_of
from api.oauth.tokens import RunLearner
from api.pages.certification.doors import own_holder
from api.pages.certification.moments import local
from api.pages.origin import from_our_pages
from api.pages.page import go, page, words_for
from api.problems import UNKNOWN_CERTIFICATE, Problem

router = APIRouter(include_in_schema=False)
Holder = Annotated[RunLearner, Depends(own_holder)]


@router.get("/certificate")
async def certificate(request: Request, holder: Holder, said: str = "") -> Response:
    """Show the certificate of the run, or why there is none."""
    context, words = context_of(request), words_for(request)
    read = await _read(context, holder)
    if read is None:
        outcome = await context.read(partial(own_outcome, run_id=holder.run_id))
        return page(request, "certification/no_certificate.html", outcome=outcome)
    view = certificate_view(read, context.clock())
    days = {name: _day(words, view[name], read.session.zone) for name in ("issued_at", "expires_at", "revoked_at")}
    return page(
        request,
        "certification/certificate.html",
        view=view | days,
        certified=[one for one in view["levels"] if one["level"] > 0],
        others=[one for one in view["levels"] if one["level"] == 0],
        framework=read.framework,
        saved=said == "saved",
    )


@router.post("/certificate", dependencies=[Depends(from_our_pages)])
async def choose(request: Request, holder: Holder) -> Response:
    """Choose what the public check shows."""
    context = context_of(request)
    async with request.form(max_files=0, max_fields=8) as form:
        shows_name, shows_levels = form.get("shows_name") == "yes", form.get("shows_levels") == "yes"
    read = await _required(context, holder)
    await share(context, holder, read.certificate.id, shows_name, shows_levels)
    return go("/certificate?said=saved")


@router.get("/certificate/certificate.pdf")
async def paper(request: Request, holder: Holder) -> Response:
    """Print the certificate."""
    context = context_of(request)
    read = await _required(context, holder)
    content = await run_in_threadpool(certificate_pdf, read, context.clock())
    headers = {"Content-Disposition": 'attachment; filename="certificate.pdf"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/pdf", headers=headers)


@router.get("/certificate/badge.jwt")
async def badge(request: Request, holder: Holder) -> Response:
    """Get the signed credential."""
    context = context_of(request)
    read = await _required(context, holder)
    signed = signed_credential(read, context.signer, context.settings.public_url, context.keys.code)
    headers = {"Content-Disposition": 'attachment; filename="badge.jwt"', "Cache-Control": "no-store"}
    return Response(signed, media_type="application/vc+jwt", headers=headers)


@router.get("/certificate/audit.json")
async def audit(request: Request, holder: Holder) -> Response:
    """Get the audit file, from which anybody derives the certificate again."""
    context = context_of(request)
    read = await _required(context, holder)
    content = await context.read(partial(audit_of, run_id=read.scoring.run_id))
    headers = {"Content-Disposition": 'attachment; filename="audit.json"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/json", headers=headers)


async def _read(context: Context, holder: RunLearner) -> Held | None:
    def read(connection: Connection) -> Held:
        return own_certificate(connection, context, holder)

    try:
        return await context.read(read)
    except Problem as problem:
        if problem.kind is not UNKNOWN_CERTIFICATE:
            raise
        return None


async def _required(context: Context, holder: RunLearner) -> Held:
    read = await _read(context, holder)
    if read is None:
        raise Problem(UNKNOWN_CERTIFICATE, "There is no certificate of this run.")
    return read


def _day(words: Any, moment: str | None, zone: str) -> str | None:
    return None if moment is None else words.day(local(datetime.fromisoformat(moment), zone))
