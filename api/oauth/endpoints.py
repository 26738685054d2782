"""POST /oauth/token."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.context import context_of
from api.errors import problem_responses
from api.oauth.schemas import TokenErrorResponse, TokenResponse
from api.oauth.service import TokenError, credentials_of, grant
from api.problems import BODY_TOO_LARGE, TOO_MANY_REQUESTS

router = APIRouter(tags=["oauth"])

_FORM = "application/x-www-form-urlencoded"
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_FORM_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {_FORM: {"schema": {"$ref": "#/components/schemas/TokenRequest"}}}},
    "security": [{}, {"basic": []}],
}


@router.post(
    "/oauth/token",
    summary="Exchange a client's credentials for an access token",
    response_model=TokenResponse,
    responses={
        400: {"model": TokenErrorResponse, "description": "The request or the scope is refused"},
        401: {"model": TokenErrorResponse, "description": "The client is not authenticated"},
        **problem_responses(BODY_TOO_LARGE, TOO_MANY_REQUESTS),
    },
    openapi_extra=_FORM_BODY,
)
async def token(request: Request) -> Response:
    """Grant a token by client credentials (RFC 6749, section 4.4)."""
    context = context_of(request)
    context.token_limit.try_once(f"address {request.client.host if request.client else 'unknown'}")
    try:
        form = await _form(request)
        credentials = credentials_of(request.headers.get("authorization"), form)
        granted = await grant(context, credentials, form)
        context.token_limit.try_once(f"client {credentials.client_id}")  # after: who guesses locks nobody else out
    except TokenError as error:
        return _refusal(error)
    body = TokenResponse(
        access_token=granted.access_token, token_type="Bearer", expires_in=granted.expires_in, scope=granted.scope
    )
    return JSONResponse(body.model_dump(), headers=_NO_STORE)


async def _form(request: Request) -> dict[str, str]:
    """Read the parameters; each comes once, and an empty one counts as left out (RFC 6749, section 3.2)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise TokenError("invalid_request", f"Send the parameters as {_FORM}.")
    async with request.form() as form:
        pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str) and value]
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise TokenError("invalid_request", "A parameter comes twice: send each once.")
    return parameters


def _refusal(error: TokenError) -> Response:
    headers = dict(_NO_STORE)
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="jalon", charset="UTF-8"'
    body = {"error": error.error, "error_description": error.description}
    return JSONResponse(body, status_code=error.status, headers=headers)
