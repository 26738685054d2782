"""Writing about a session, again when another process was faster."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.context import Context
from api.problems import UNAVAILABLE, Problem

Result = TypeVar("Result")
ATTEMPTS = 5


async def written(context: Context, job: Callable[[Connection], Result]) -> Result:
    """Write, again when another process stored a fact of the same number, drew the same code or used the same key."""
    for _ in range(ATTEMPTS):
        try:
            return await context.write(job)
        except IntegrityError:
            continue
    raise crossed()


def crossed() -> Problem:
    """Build the problem for a request that others kept overtaking."""
    return Problem(UNAVAILABLE, "Several requests crossed: send the same one again.", headers={"Retry-After": "1"})
