"""Finding a run for somebody: what one may not know of looks as if it did not exist."""

from functools import partial

from sqlalchemy import Connection

from api.context import Context
from api.identifiers import parsed_id
from api.oauth.tokens import Caller, Platform
from api.problems import UNKNOWN_RUN, Problem
from api.runs.facts import Run
from api.runs.live import Live, read_live
from api.runs.pinned import Pins
from api.runs.repository import last_position, run_of


def unknown_run() -> Problem:
    """Build the problem for a run that does not exist, or that the caller may not know of."""
    return Problem(UNKNOWN_RUN, "There is no run of this id here: check the id, or open a run with POST /v1/runs.")


def is_of(run: Run, caller: Caller) -> bool:
    """Tell whether a run belongs to the platform, or to the learner, who calls."""
    return run.client_id == caller.client_id if isinstance(caller, Platform) else run.id == caller.run_id


async def live_run(context: Context, run_id: str) -> Live:
    """Return where a run stands as far as this process knows; raise a 404 problem when there is no such run."""
    live = context.live_runs.get(run_id)
    return live if live is not None else await current_run(context, run_id)


async def current_run(context: Context, run_id: str) -> Live:
    """Return where a run stands in the database now; raise a 404 problem when there is no such run."""
    live = await context.read(partial(read_current, context.pins, context.live_runs.get(run_id), run_id))
    context.live_runs.put(run_id, live)
    return live


async def run_for(context: Context, run_id: str, caller: Caller) -> Live:
    """Return a positioning run of the caller's, as far as this process knows; raise a 404 problem when there is none.

    Runs that certify are answered in their session alone: :mod:`api.certification`.
    """
    live = context.live_runs.get(run_id)
    if live is None:
        known = parsed_id(run_id)
        if known is None:
            raise unknown_run()
        live = await live_run(context, known)
    if live.run.rules_hash is not None or not is_of(live.run, caller):
        raise unknown_run()
    return live


def read_current(pins: Pins, known: Live | None, run_id: str, connection: Connection) -> Live:
    """Read a run, unless what is known of it is still the case; raise a 404 problem when there is no such run."""
    if known is not None and last_position(connection, run_id) == known.position:
        return known
    run = run_of(connection, run_id)
    if run is None:
        raise unknown_run()
    return read_live(connection, pins, run)
