"""Coming back to a run, on any device, with its access code."""

from dataclasses import dataclass
from functools import partial

from api.context import Context
from api.identifiers import learner_token, parsed_access_code
from api.problems import UNKNOWN_CODE, Problem
from api.runs.repository import run_of_code


@dataclass(frozen=True)
class Entered:
    """The run that a code opens, and the learner's token for it."""

    run_id: str
    token: str


async def enter_code(context: Context, typed: str, address: str) -> Entered:
    """Exchange an access code for the learner's token.

    Parameters
    ----------
    context : Context
    typed : str
        What the person typed: case, spaces and dashes do not matter.
    address : str
        Where the request came from: so many unknown codes are allowed to each.

    Raises
    ------
    Problem
        404 when no run has the code or it is too old; 429 after too many unknown codes.
    """
    with context.code_limit.failures(address, UNKNOWN_CODE):
        code = parsed_access_code(typed)
        run = None if code is None else await context.read(partial(run_of_code, access_code=code))
        life = context.settings.access_to_run(run is not None and run.rules_hash is not None)
        if run is None or context.clock() >= run.created_at + life:
            raise Problem(UNKNOWN_CODE, "No run has this access code: check each letter, or ask for a new code.")
    return Entered(run.id, learner_token(context.keys.learner, run.id))
