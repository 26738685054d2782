"""Reading a JSON body straight into a schema, for the endpoint that is called most."""

from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from api.errors import validation_problem
from api.problems import INVALID_REQUEST, Problem

Schema = TypeVar("Schema", bound=BaseModel)


async def json_body(request: Request, schema: type[Schema]) -> Schema:
    """Read the body; raise a 400 problem when it is not JSON, a 422 one when it does not have the documented form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(INVALID_REQUEST, "The body is not announced as JSON: send Content-Type: application/json.")
    try:
        return schema.model_validate_json(await request.body())
    except ValidationError as error:
        raise validation_problem(error.errors(include_url=False, include_input=False)) from None
