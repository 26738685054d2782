"""/v1/certificates, the holder's /v1/certificate, the public check, and the public keys."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response, Security
from fastapi.security import HTTPBearer
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from api.certification.audit import audit_of
from api.certification.certificates.checking import check
from api.certification.certificates.credential import signed_credential
from api.certification.certificates.held import (
    Held,
    certificate_view,
    own_certificate,
    reader_of,
    required_certificate,
)
from api.certification.certificates.issue import Status, status_of
from api.certification.certificates.schemas import (
    CertificateView,
    CheckView,
    CredentialView,
    KeySetView,
    KeyView,
    SharingRequest,
)
from api.certification.certificates.sharing import share
from api.certification.certificates.sheet import certificate_pdf
from api.certification.certificates.signing import key_address
from api.context import context_of
from api.errors import problem_responses
from api.oauth.scopes import CERTIFICATION_READ
from api.oauth.tokens import RunLearner
from api.organisations.callers import bearer
from api.problems import (
    BODY_TOO_LARGE,
    INVALID_JSON,
    INVALID_REQUEST,
    NOT_ALLOWED,
    NOT_NOW,
    TOO_MANY_REQUESTS,
    UNAUTHENTICATED,
    UNKNOWN_CERTIFICATE,
    UNKNOWN_KEY,
    Problem,
)

_HOLDER = HTTPBearer(
    scheme_name="certificate",
    description="Token of the certified run (its holder), of an administrator of the organisation, or of a platform.",
    auto_error=False,
)
_REFUSED = problem_responses(UNAUTHENTICATED, NOT_ALLOWED, UNKNOWN_CERTIFICATE, INVALID_REQUEST)
_PDF: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}, "description": "A PDF document."}}
_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {}}, "description": "A JSON document."}}

router = APIRouter(tags=["certificates"])
public = APIRouter(tags=["certificates"])

CertificateId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
Token = Annotated[object, Security(_HOLDER)]


@router.get("/v1/certificate", summary="Read one's own certificate", response_model=CertificateView, responses=_REFUSED)
async def get_own(request: Request, _: Token) -> Any:
    """Read the latest certificate of the run whose token is shown."""
    context = context_of(request)
    caller = await reader_of(context, bearer(request), CERTIFICATION_READ)
    if not isinstance(caller, RunLearner):
        raise Problem(NOT_ALLOWED, "This is for holders: GET /v1/certificates/ID with this token.")
    read = await context.read(partial(own_certificate, context=context, holder=caller))
    return certificate_view(read, context.clock())


@router.get("/v1/certificates/{certificate_id}.pdf", summary="Print a certificate", responses=_REFUSED | _PDF)
async def get_pdf(request: Request, _: Token, certificate_id: CertificateId) -> Response:
    """Get the certificate on paper, with its QR code."""
    read = await _held(request, certificate_id)
    content = await run_in_threadpool(certificate_pdf, read, context_of(request).clock())
    name = f'inline; filename="certificate-{read.certificate.id}.pdf"'
    return Response(content, media_type="application/pdf", headers={"Content-Disposition": name})


@router.get(
    "/v1/certificates/{certificate_id}",
    summary="Read a certificate",
    response_model=CertificateView,
    responses=_REFUSED,
)
async def get_certificate(request: Request, _: Token, certificate_id: CertificateId) -> Any:
    """Read a certificate: the platform of the organisation or of the learner, its administrators, the holder."""
    return certificate_view(await _held(request, certificate_id), context_of(request).clock())


@router.patch(
    "/v1/certificates/{certificate_id}",
    summary="Choose what the public check shows",
    response_model=CertificateView,
    responses=_REFUSED | problem_responses(INVALID_JSON, BODY_TOO_LARGE),
)
async def patch_certificate(request: Request, _: Token, certificate_id: CertificateId, body: SharingRequest) -> Any:
    """Choose, as the holder, whether the public check shows the name and the levels."""
    context = context_of(request)
    caller = await reader_of(context, bearer(request), CERTIFICATION_READ)
    read = await share(context, caller, certificate_id, body.shows_name, body.shows_levels)
    return certificate_view(read, context.clock())


@router.get(
    "/v1/certificates/{certificate_id}/credential",
    summary="Get the signed credential",
    response_model=CredentialView,
    responses=_REFUSED | problem_responses(NOT_NOW),
)
async def get_credential(request: Request, _: Token, certificate_id: CertificateId) -> Any:
    """Get the certificate as an Open Badges 3.0 credential, with what the holder chose to show."""
    context = context_of(request)
    read = await _held(request, certificate_id)
    status = status_of(read.certificate, context.clock())
    if status in (Status.REVOKED, Status.REPLACED):
        raise Problem(NOT_NOW, f"The certificate is {status.value}, and is not signed any more.", state=status.value)
    signed = signed_credential(read, context.signer, context.settings.public_url, context.keys.code)
    return {"format": "vc+jwt", "credential": signed}


@router.get("/v1/certificates/{certificate_id}/audit", summary="Get the audit file", responses=_REFUSED | _FILE)
async def get_audit(request: Request, _: Token, certificate_id: CertificateId) -> Response:
    """Get everything from which a third party derives the certificate again: jalon replay --audit FILE."""
    read = await _held(request, certificate_id)
    content = await context_of(request).read(partial(audit_of, run_id=read.scoring.run_id))
    name = f'attachment; filename="audit-{read.certificate.id}.json"'
    return Response(content, media_type="application/json", headers={"Content-Disposition": name})


@public.get(
    "/v1/checks/{code}",
    summary="Check a certificate",
    response_model=CheckView,
    responses=problem_responses(UNKNOWN_CERTIFICATE, TOO_MANY_REQUESTS),
)
async def get_check(request: Request, code: str) -> Response:
    """Tell anybody whether a certificate is valid, and what its holder chose to show. Nothing else is told."""
    address = request.client.host if request.client else "unknown"
    return JSONResponse(await check(context_of(request), code, address), headers={"Cache-Control": "no-store"})


@public.get("/.well-known/jwks.json", summary="Read the public keys of credentials", response_model=KeySetView)
async def get_keys(request: Request) -> Response:
    """Read the public keys by which credentials are verified, those that sign no more too (RFC 7517)."""
    context = context_of(request)
    keys = {"keys": list(context.signer.addressed(context.settings.public_url))}
    return JSONResponse(keys, headers={"Cache-Control": "public, max-age=3600"})


@public.get(
    "/v1/keys/{thumbprint}",
    summary="Read a public key of credentials",
    response_model=KeyView,
    responses=problem_responses(UNKNOWN_KEY),
)
async def get_key(request: Request, thumbprint: str) -> Response:
    """Read the public key that a credential names in its header, by its thumbprint (RFC 7638)."""
    context = context_of(request)
    address = key_address(context.settings.public_url, thumbprint)
    key = next((one for one in context.signer.addressed(context.settings.public_url) if one["kid"] == address), None)
    if key is None:
        raise Problem(UNKNOWN_KEY, "No key of this server has this thumbprint: see those at /.well-known/jwks.json.")
    return JSONResponse(key, headers={"Cache-Control": "public, max-age=3600"})


async def _held(request: Request, certificate_id: str) -> Held:
    context = context_of(request)
    caller = await reader_of(context, bearer(request), CERTIFICATION_READ)
    read: Callable[[Connection], Held] = partial(
        required_certificate, context=context, caller=caller, certificate_id=certificate_id
    )
    return await context.read(read)
