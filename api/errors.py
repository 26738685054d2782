"""Error handlers: whatever fails, the client reads ``application/problem+json`` and never a stack trace."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match

from api.context import context_of
from api.headers import security_headers
from api.problems import (
    BAD_REQUEST,
    INTERNAL,
    INVALID_JSON,
    INVALID_REQUEST,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    UNAVAILABLE,
    Problem,
    ProblemKind,
)
from api.writer import WriterClosedError

_log = logging.getLogger(__name__)


class ProblemDocument(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="URI that identifies the kind of problem.")
    title: str = Field(description="The kind of problem in a few words.")
    status: int = Field(description="HTTP status.")
    detail: str = Field(description="One sentence: what is wrong here and what to do.")
    instance: str = Field(description="Path of the request.")


class ProblemResponse(JSONResponse):
    """A JSON response with the media type of problem details."""

    media_type = "application/problem+json"


def problem_response(request: Request, problem: Problem) -> Response:
    """Render ``problem`` for ``request``."""
    document = {
        "type": problem.kind.type,
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": problem.detail,
        "instance": request.scope["path"].encode("ascii", "backslashreplace").decode(),
        **problem.members,
    }
    return ProblemResponse(document, status_code=problem.kind.status, headers=dict(problem.headers or {}))


def problem_responses(*kinds: ProblemKind) -> dict[int | str, dict[str, Any]]:
    """Declare to OpenAPI the problems that an endpoint may answer with."""
    by_status: dict[int, list[str]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(kind.title)
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    return {status: {"description": "; ".join(titles), "content": content} for status, titles in by_status.items()}


def sentence_of(error: Mapping[str, Any]) -> dict[str, str]:
    """Turn one pydantic error into its place and a sentence."""
    where = ".".join(str(part) for part in error["loc"]) or "body"
    message = str(error["msg"]).removeprefix("Value error, ")
    return {"where": where, "sentence": f"{message[:1].upper()}{message[1:]}."}


def validation_problem(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """Build the problem for a request that does not have the documented form."""
    broken = next((error for error in errors if error["type"] == "json_invalid"), None)
    if broken is not None:
        reason = broken.get("ctx", {}).get("error", "it cannot be parsed")
        return Problem(INVALID_JSON, f"The body is not valid JSON ({reason}): send one JSON object in UTF-8.")
    sentences = [sentence_of(error) for error in errors]
    first = sentences[0]
    return Problem(
        INVALID_REQUEST,
        f"The request is malformed at {first['where']}: {first['sentence']}",
        errors=sentences,
    )


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_response(request, error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    method, path = request.method, request.scope["path"]
    if error.status_code == HTTPStatus.NOT_FOUND:
        problem = Problem(NOT_FOUND, "Nothing is at this address: look at /openapi.json for those that exist.")
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(_allowed_methods(request))
        problem = Problem(
            METHOD_NOT_ALLOWED, f"{method} is not allowed on {path}: use {allowed}.", headers={"Allow": allowed}
        )
    elif error.status_code == HTTPStatus.BAD_REQUEST:
        problem = Problem(BAD_REQUEST, "The body cannot be read: send it in the documented form.")
    else:
        status = HTTPStatus(error.status_code)
        kind = ProblemKind(status.name.lower().replace("_", "-"), status.value, status.phrase)
        problem = Problem(kind, f"{status.description or status.phrase}.", headers=error.headers)
    return problem_response(request, problem)


def _allowed_methods(request: Request) -> list[str]:
    """Methods of every route at the path of a request; Starlette names those of the first one only."""
    at_path = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    return sorted({method for route in at_path for method in getattr(route, "methods", ())})


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(request, validation_problem(error.errors()))


async def _on_unavailable(request: Request, error: Exception) -> Response:
    _log.error("%s %s: %s", request.method, request.scope["path"], getattr(error, "orig", error))
    problem = Problem(
        UNAVAILABLE,
        "The database cannot be reached or is busy, and nothing was written: send the same request again in a second.",
        headers={"Retry-After": "1"},
    )
    return problem_response(request, problem)


async def _on_gone(request: Request, error: Exception) -> Response:
    return problem_response(request, Problem(BAD_REQUEST, "The body stopped before its end: send it again."))


async def _on_bug(request: Request, error: Exception) -> Response:
    problem = Problem(
        INTERNAL, "The server failed, and nothing was written: send the same request again, or tell the operator."
    )
    response = problem_response(request, problem)
    response.headers.update(security_headers(request.scope["path"], context_of(request).settings.https))
    return response


def install_error_handlers(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(OperationalError, _on_unavailable)
    app.add_exception_handler(WriterClosedError, _on_unavailable)
    app.add_exception_handler(ClientDisconnect, _on_gone)
    app.add_exception_handler(Exception, _on_bug)
