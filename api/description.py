"""The OpenAPI document: what FastAPI derives from the signatures, and the schemas that endpoints refer to by name."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.errors import ProblemDocument
from api.oauth.schemas import TokenRequest
from api.runs.schemas import AnswerRequest

NAMED: tuple[type[BaseModel], ...] = (ProblemDocument, AnswerRequest, TokenRequest)
"""Schemas of endpoints that read their bodies themselves, and of problems."""


def described(app: FastAPI) -> dict[str, Any]:
    """Describe ``app`` in OpenAPI 3.1."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, summary=app.summary, routes=app.routes, openapi_version="3.1.0"
        )
        _, named = models_json_schema(
            [(model, "validation") for model in NAMED], ref_template="#/components/schemas/{model}"
        )
        document["components"]["schemas"] |= named["$defs"]
        app.openapi_schema = document
    return app.openapi_schema
