"""Learners of a platform: create, find, list; and the profile."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.clock import iso
from api.context import Context
from api.idempotency import Once, created_before, remember
from api.identifiers import new_id, parsed_id
from api.learners.repository import (
    Learner,
    add_learner,
    learner_by_external_id,
    learner_of_client,
    learners_of_client,
)
from api.pagination import page, parsed_cursor
from api.problems import UNKNOWN_LEARNER, Problem
from api.runs.repository import latest_finished, runs_of_learner
from api.runs.results import unmeasured
from api.runs.view import run_summary


def learner_view(learner: Learner) -> dict[str, Any]:
    """Show a learner."""
    return {"id": learner.id, "external_id": learner.external_id, "created_at": iso(learner.created_at)}


def unknown_learner() -> Problem:
    """Build the problem for a learner who does not exist, or whom the platform may not know of."""
    return Problem(UNKNOWN_LEARNER, "There is no learner of this id here: check the id, or POST /v1/learners.")


async def create_learner(
    context: Context, client_id: str, external_id: str | None, once: Once | None = None
) -> tuple[Learner, bool]:
    """Create a learner of a platform, unless its external id is known; tell whether it is new."""

    def store(connection: Connection) -> tuple[Learner, bool]:
        known = created_before(connection, once)
        if known is not None:
            return required_learner(connection, client_id, known), True
        if external_id is not None:
            found = learner_by_external_id(connection, client_id, external_id)
            if found is not None:
                return found, False
        at = context.clock()
        learner = Learner(new_id(), client_id, external_id, at)
        add_learner(connection, learner)
        remember(connection, once, learner.id, at)
        return learner, True

    try:
        return await context.write(store)
    except IntegrityError:  # another process was first with the same external id or key: it is known now
        return await context.write(store)


async def find_learner(context: Context, client_id: str, learner_id: str) -> Learner:
    """Return a learner of a platform; raise a 404 problem when there is none."""
    return await context.read(lambda connection: required_learner(connection, client_id, learner_id))


def required_learner(connection: Connection, client_id: str, learner_id: str) -> Learner:
    """Return a learner of a platform; raise a 404 problem when there is none."""
    known = parsed_id(learner_id)
    found = None if known is None else learner_of_client(connection, client_id, known)
    if found is None:
        raise unknown_learner()
    return found


async def list_learners(
    context: Context, client_id: str, external_id: str | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """Show the learners of a platform, page by page."""
    after = parsed_cursor(cursor)
    found = await context.read(
        lambda connection: learners_of_client(connection, client_id, external_id, after, limit + 1)
    )
    shown, following = page(found, [learner.id for learner in found], limit)
    return {"items": [learner_view(learner) for learner in shown], "next": following}


async def list_runs(
    context: Context, client_id: str, learner_id: str, cursor: str | None, limit: int
) -> dict[str, Any]:
    """Show the runs of a learner, the latest first, page by page."""
    after = parsed_cursor(cursor)

    def read(connection: Connection) -> dict[str, Any]:
        learner = required_learner(connection, client_id, learner_id)
        found = runs_of_learner(connection, learner.id, after, limit + 1)
        shown, following = page(found, [run.id for run in found], limit)
        return {"items": [run_summary(run) for run in shown], "next": following}

    return await context.read(read)


async def profile_of(context: Context, client_id: str, learner_id: str) -> dict[str, Any]:
    """Show the profile of a platform's learner; raise a 404 problem when there is no such learner."""

    def read(connection: Connection) -> dict[str, Any]:
        return read_profile(context, connection, required_learner(connection, client_id, learner_id).id)

    return await context.read(read)


def read_profile(context: Context, connection: Connection, learner_id: str) -> dict[str, Any]:
    """Show what the learner's latest finished run told, which took the earlier ones into account."""
    latest = latest_finished(connection, learner_id)
    if latest is None:
        codes = context.served.framework.codes
        nothing = [unmeasured(code) for code in codes]
        return {"learner_id": learner_id, "run_id": None, "finished_at": None, "competences": nothing}
    run, ended = latest
    return {
        "learner_id": learner_id,
        "run_id": run.id,
        "finished_at": iso(ended.at),
        "competences": ended.result,
    }
